"""Scores and compares the events of recorded clips with the vehicles in them."""
