"""The connection to the broker, delivery and commands."""
