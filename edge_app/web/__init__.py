"""The page, the HTTP API and the metrics: imported only if `[web] listen` is set."""
