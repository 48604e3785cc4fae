"""Other people's programs, as they are, against a device without its camera."""
