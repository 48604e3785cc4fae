"""Scores and compares what becomes of recorded clips: vehicles there are, events that were told."""
