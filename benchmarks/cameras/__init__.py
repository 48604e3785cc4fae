"""Cameras that come and go, measured against real servers."""
