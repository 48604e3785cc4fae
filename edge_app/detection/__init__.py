"""Finds plates in a frame."""
