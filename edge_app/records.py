"""What passes from stage to stage, each record defined once and never changed after it is made."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import Box, hulls

ImageBgr = NDArray[np.uint8]
"""(height, width, 3), channels in the order blue, green, red."""

ImageGray = NDArray[np.uint8]
"""(height, width)."""

Corners = NDArray[np.float32]
"""(4, 2): x, y in pixels of the full image, clockwise from the plate's own top left."""

LogProbs = NDArray[np.float32]
"""(steps, classes): natural logarithm of the CTC posteriors; the last class is the blank."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How a picture was exposed."""

    microseconds: float
    gain: float
    """Of the sensor; 1 is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of one camera."""

    image_bgr: ImageBgr
    captured_at: datetime
    """UTC, aware: the clock's time then; it may have been set since."""
    monotonic_ns: int
    """`time.monotonic_ns()` at capture; durations are taken from this, never from `captured_at`."""
    sequence: int
    """Counts every frame the camera gave, so a gap shows what was dropped."""
    camera: str
    small_bgr: ImageBgr | None = None
    """The same instant and view at a lower resolution, if the camera delivers it for free."""
    is_recorded: bool = False
    """True: `captured_at` is of an earlier time, and `monotonic_ns` only counts from the recording's beginning."""
    exposure: "Exposure | None" = None
    """How it was exposed, if the camera says so."""


@dataclass(frozen=True, slots=True, eq=False)
class PlateDetection:
    """A plate found in a frame."""

    corners_px: Corners
    confidence: float
    """0 to 1."""
    lines: int
    """Lines of text on the plate: 1 or 2."""

    @property
    def box_px(self) -> Box:
        """The axis-aligned hull: left, top, width, height."""
        left, top, width, height = hulls(self.corners_px).tolist()
        return left, top, width, height

    def moved(self, right_px: float, down_px: float) -> "PlateDetection":
        """The same plate in a picture whose origin lies this far to the left and above."""
        return replace(self, corners_px=self.corners_px + np.array([right_px, down_px], np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class PlateStrip:
    """A plate made flat for the reader; the two lines of a two-line plate lie side by side."""

    image_gray: ImageGray
    """Of the size the reader's manifest names."""
    sharpness: float
    """Standard deviation of the Laplacian over that of the strip: about 0 (flat) upwards."""
    line_height_px: float
    """Height of one text line in pixels of the full image."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The reader's output for one strip: evidence, not yet a decision."""

    log_probs: LogProbs
    sharpness: float
    line_height_px: float


@dataclass(frozen=True, slots=True)
class CharacterRead:
    """One character of a plate's text."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text the plate may bear."""

    text: str
    confidence: float
    valid: bool


@dataclass(frozen=True, slots=True)
class PlateText:
    """What the voter settled on."""

    text: str
    """A-Z and 0-9, the top line first."""
    confidence: float
    """Posterior of the text over all candidates, 0 to 1."""
    country: str | None
    """ISO 3166-1 alpha-2 of the format that fits; None if only the generic one does, or none."""
    format: str | None
    valid: bool
    """True if the text fits a country's format."""
    characters: tuple[CharacterRead, ...]
    candidates: tuple[Candidate, ...]
    """The best first, the text itself among them."""
    agreeing: int = 1
    """Frames that on their own find this text the likeliest of all candidates."""
    settled: bool = False
    """True if by estimate no single further read could change the text, however clear."""


@dataclass(frozen=True, slots=True)
class PlateColours:
    """The colours of a plate, each None if the picture does not show it."""

    background: str | None
    """"black", "blue", "green", "red", "white" or "yellow"."""
    characters: str | None
    """"black", "red", "white" or "yellow"."""


@dataclass(frozen=True, slots=True, eq=False)
class PlateRead:
    """A plate found and read."""

    plate: PlateText
    detection: PlateDetection
    colours: PlateColours = PlateColours(None, None)

    @property
    def text(self) -> str:
        """Shorthand for `plate.text`."""
        return self.plate.text

    @property
    def confidence(self) -> float:
        """Shorthand for `plate.confidence`."""
        return self.plate.confidence


@dataclass(frozen=True, slots=True)
class ListMatch:
    """An entry of a list that matches a plate."""

    list: str
    """The list's name."""
    kind: str
    """"allow", "deny", "watch" or "ignore"."""
    entry: str
    """A-Z and 0-9."""
    cost: float
    """0 if entry and text are the same, else the cost of their confusions."""


@dataclass(frozen=True, slots=True)
class LineCrossing:
    """A virtual line that a vehicle crossed."""

    line: str
    """The line's name."""
    label: str
    """What crossing it in this direction is called: "in" or "out", unless set otherwise."""


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Milliseconds that the stages took for one frame or, summed, for one pass."""

    detect_ms: float = 0.0
    read_ms: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class PlatePass:
    """One vehicle passing the camera, settled; it becomes one event."""

    camera: str
    read: PlateRead
    """The text of the whole track with the detection of its best frame."""
    crop_bgr: ImageBgr
    """The plate with some surroundings, cut from the best frame."""
    frame_size: tuple[int, int]
    """Width, height of the best frame in pixels."""
    first_seen: datetime
    best_seen: datetime
    last_seen: datetime
    """As `Frame.captured_at`."""
    frames: int
    """Frames in which the plate was found."""
    reads: int
    """Frames in which it was read."""
    direction: str
    """"approaching", "receding" or "unknown"."""
    zones: tuple[str, ...]
    times: StageTimes
    first_monotonic_ns: int
    best_monotonic_ns: int
    last_monotonic_ns: int
    """As `Frame.monotonic_ns`."""
    crossings: tuple[LineCrossing, ...] = ()
    """In the order in which they were crossed."""
    vehicle: int = 0
    """Its number among those of its camera in this run: an update has that of its read."""
    is_final: bool = True
    """False if it is published early: an update follows when the vehicle has gone."""
    revision: str | None = None
    """None unless it was published before; then "confirmed" if the text is the same, else "corrected"."""
    is_recorded: bool = False
    """As `Frame.is_recorded`."""
    exposure: Exposure | None = None
    """Of the best frame."""
