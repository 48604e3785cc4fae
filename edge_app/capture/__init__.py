"""Frames come in: sources by URL, the newest frame handed over, stillness left out."""
