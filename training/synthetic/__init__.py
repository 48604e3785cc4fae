"""Plates and scenes made from nothing, with their truth known exactly."""
