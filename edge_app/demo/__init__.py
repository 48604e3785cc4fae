"""The demo: a rendered clip, the real daemon, a broker in this process, and the result compared with the truth."""

from pathlib import Path

CLIP = Path(__file__).parent / "clip.mp4"
"""The clip; `events.jsonl` beside it names the vehicles in it."""
