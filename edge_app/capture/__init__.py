"""Frames come in: sources by URL, the newest frame handed over, stillness left out."""

from edge_app.capture.source import Source, open_source

__all__ = ["Source", "open_source"]
