"""A camera's picture for the page: the JPEG, and what is known of each plate in it."""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.capture import picture_faults
from edge_app.config import Settings
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.records import Frame, PlateText, Reading
from edge_app.system_clock import as_rfc3339
from edge_app.tracking.voter import Voter
from edge_app.web.feed import SeenPlate, View

if TYPE_CHECKING:
    from collections.abc import Sequence

_JPEG_QUALITY = 80

CLEAR_PX, FAIR_PX = 16.0, 11.0
"""Height of a line of text in pixels from which nearly all plates are read, and most: docs/accuracy.md, size."""
SHARP = 0.2
"""Sharpness of a plate's picture below which characters run into one another."""


class Viewfinder:
    """Asked from one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._voter: Voter | None = None
        self._encoded: dict[tuple[str, int | None], tuple[int, bytes]] = {}

    def jpeg(self, frame: Frame, width: int | None) -> bytes:
        """The frame, no wider than this; two who watch share it."""
        key = frame.camera, width
        sequence, jpeg = self._encoded.get(key, (-1, b""))
        if sequence != frame.sequence:
            jpeg = _encode(frame, width)
            if len(self._encoded) > 16:  # odd widths
                self._encoded.clear()
            self._encoded[key] = frame.sequence, jpeg
        return jpeg

    def describe(self, view: View, focus: bool) -> dict[str, Any]:
        """The view in numbers, with `focus` how sharp the whole picture is."""
        frame = view.frame
        height, width = frame.image_bgr.shape[:2]
        edge_px = picture_faults.edge_width_px(_middle(frame)) if focus else None
        return {
            "camera": frame.camera,
            "sequence": frame.sequence,
            "captured_at": as_rfc3339(frame.captured_at),
            "width": width,
            "height": height,
            "sharpness": _sharpness(frame) if focus else None,
            "edge_px": None if edge_px is None else round(edge_px, 2),
            "plates": sorted(map(self._plate, view.plates), key=lambda plate: -plate["width_px"]),
        }

    def _plate(self, seen: SeenPlate) -> dict[str, Any]:
        corners = seen.detection.corners_px
        text = None if seen.reading is None else self._text(seen.reading, seen.detection.confidence)
        width_px = (_length(corners[1] - corners[0]) + _length(corners[2] - corners[3])) / 2
        height_px = (_length(corners[3] - corners[0]) + _length(corners[2] - corners[1])) / 2
        line_height_px = height_px / seen.detection.lines
        return {
            "corners": [[round(float(value), 1) for value in corner] for corner in corners],
            "detection_confidence": round(seen.detection.confidence, 3),
            "text": None if text is None else text.text,
            "confidence": None if text is None else round(text.confidence, 3),
            "width_px": round(width_px, 1),
            "line_height_px": round(line_height_px, 1),
            "sharpness": None if seen.reading is None else round(seen.reading.sharpness, 2),
            "outlook": _outlook(line_height_px, seen.reading),
        }

    def _text(self, reading: Reading, confidence: float) -> PlateText | None:
        return self._of_voter().settle_attempts([reading], confidence)

    def _of_voter(self) -> Voter:
        """One of its own: the daemon's is used by its main thread."""
        if self._voter is None:
            from edge_app.stages import READER_FILE, models_directory
            from edge_app.tflite_model import ModelManifest

            manifest = ModelManifest.read((models_directory(self._settings) / READER_FILE).with_suffix(".json"))
            formats = PlateFormats.load(self._settings.recognition.formats)
            self._voter = Voter(formats, manifest.alphabet, 1)
        return self._voter


def _outlook(line_height_px: float, reading: Reading | None) -> str:
    """What size and sharpness promise: "good", "fair", "small" or "blurred"."""
    if line_height_px < FAIR_PX:
        return "small"
    if reading is not None and reading.sharpness < SHARP:
        return "blurred"
    return "good" if line_height_px >= CLEAR_PX else "fair"


def _length(vector: NDArray[np.float32]) -> float:
    return float(np.hypot(*vector))


def _encode(frame: Frame, width: int | None) -> bytes:
    image = frame.image_bgr
    height_px, width_px = image.shape[:2]
    if width is not None and width < width_px:
        size: Sequence[int] = (width, max(1, round(height_px * width / width_px)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return jpeg.tobytes() if done else b""


def _middle(frame: Frame) -> Any:
    """The inner half of the picture, in which the plates should be."""
    height, width = frame.image_bgr.shape[:2]
    return frame.image_bgr[height // 4 : height - height // 4, width // 4 : width - width // 4]


def _sharpness(frame: Frame) -> float:
    """Variance of the Laplacian of the inner half: rises until the lens is in focus, and falls again behind it."""
    gray = cv2.cvtColor(_middle(frame), cv2.COLOR_BGR2GRAY)
    return round(float(cv2.Laplacian(gray, cv2.CV_32F).var()), 1)
