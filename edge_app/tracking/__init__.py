"""Follows a plate over frames and settles on one text."""
