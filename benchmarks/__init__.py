"""Measurements: they print figures, and are run by hand."""
