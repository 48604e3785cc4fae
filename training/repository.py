"""Where this repository lies: what is made of it goes there by default, wherever a command is called from."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
