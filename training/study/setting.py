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
        Setting("quick", 700, 800, 150, 120, 2, 2, 200, 40, 40),
        Setting("short", 2500, 1600, 300, 300, 3, 3, 400, 40, 120),
        Setting("full", 30_000, 20_000, 400, 2500, 40, 6, 3000, 500, 2000),
    )
}
