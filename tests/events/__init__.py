"""Messages, and the events of passes."""
