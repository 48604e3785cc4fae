"""What the clip really shows."""

import json
from dataclasses import dataclass
from pathlib import Path

CLIP = Path(__file__).parent / "clip.mp4"


@dataclass(frozen=True, slots=True)
class ShownVehicle:
    """A vehicle of the clip."""

    text: str
    lines: int
    first_frame: int
    last_frame: int
    """Frames in which its plate can be seen, counted from 0."""


def load() -> list[ShownVehicle]:
    """The vehicles, in the order of their coming."""
    document = json.loads(CLIP.with_name("truth.json").read_text(encoding="utf-8"))
    return [
        ShownVehicle(vehicle["text"], vehicle["lines"], vehicle["first_frame"], vehicle["last_frame"])
        for vehicle in document["vehicles"]
    ]
