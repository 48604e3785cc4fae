"""The page, the HTTP API and the metrics."""
