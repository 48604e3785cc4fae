"""A plate becomes characters."""
