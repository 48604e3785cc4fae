"""The life of the process."""
