"""Matches a settled plate with the entries of the operator's lists."""
