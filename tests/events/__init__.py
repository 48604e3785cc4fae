"""Messages, and the events of passages."""
