"""The durable queue: events wait on disk until the broker has acknowledged them."""
