"""Frames come in: sources by URL, the newest frame for the main thread, still frames left out."""
