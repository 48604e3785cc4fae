"""Scores of labelled pictures and clips."""
