"""Settings are read."""
