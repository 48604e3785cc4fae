"""How large a study is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """Counts of everything that costs time."""

    name: str
    plates: int
    """Generated plates, of all splits together."""
    crops: int
    """Characters that a network learns from at most."""
    few_crops: int
    """Characters of a new country that transfer learning has."""
    scenes: int
    """Pictures of roads, of all splits together."""
    epochs: int
    """At most; fewer when the validation's score no longer rises."""
    patience: int
    """Epochs without a better score after which a training ends."""
    tested: int
    """Characters, strips or texts of the test split that are scored at most."""
    distorted: int
    """Characters that are distorted in every way."""
    read_by_tesseract: int
    """Strips of each split that Tesseract reads, where it is installed."""


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("quick", 1000, 700, 150, 100, 3, 3, 200, 30, 60),
        Setting("short", 6000, 3000, 400, 500, 8, 3, 800, 100, 200),
        Setting("full", 20_000, 8000, 400, 1500, 16, 5, 2000, 300, 1000),
    )
}
