"""The path of this repository: outputs go there by default, from whatever folder a command is called."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
