"""A filter of reads."""

import fnmatch
from dataclasses import dataclass

from edge_app.events.messages import ReadMessage


@dataclass(frozen=True, slots=True)
class ReadFilter:
    """Every condition that is not None must be met."""

    device: str | None = None
    camera: str | None = None
    plate: str | None = None
    """A text with `*` for any characters, `?` for one and `[12]` for one of some, in large or small letters."""
    country: str | None = None
    """ISO 3166-1 alpha-2, in large or small letters."""
    min_confidence: float = 0.0
    """Of the text, 0 to 1."""
    only_valid: bool = False
    """Only texts that fit a format."""

    @property
    def admits_everything(self) -> bool:
        """Whether there is no condition."""
        return self == ReadFilter()

    def admits(self, read: ReadMessage) -> bool:
        """Whether a read meets the conditions."""
        plate = read.plate
        return (
            self.device in (None, read.device)
            and self.camera in (None, read.camera)
            and (self.plate is None or fnmatch.fnmatchcase(plate.text, self.plate.upper()))
            and (self.country is None or self.country.upper() == plate.country)
            and plate.confidence >= self.min_confidence
            and (plate.valid or not self.only_valid)
        )
