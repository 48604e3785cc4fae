"""Finds the plates of a frame with the MobileNetV2 network."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.detection.corner_decoding import decode, widest_px
from edge_app.geometry import hulls, same_plate
from edge_app.records import Frame, ImageBgr, PlateDetection
from edge_app.tflite_model import Network

PADDING_BGR = (114, 114, 114)
"""The padding that the network has learned."""

_LARGEST_SCALE = 1.5
"""Small pictures are not enlarged further than this: it would add no information."""

_LARGE = 0.4
"""Share of the input's width from which on a plate is large: the network has learned few of that size."""

_SUSPECTED = 0.2
"""Confidence from which on there may be a large plate."""

_EVERY = 256
"""More than the number of plates in any picture."""

_PART = 1 / 3
"""Of a large plate's width; what lies on it and is narrower is no part of it, but a plate before or beside it."""

Scale = NDArray[np.float32]
"""(2,): pixels of the network's input per pixel of the picture, along x and y."""


class PlateDetector:
    """`find` gives the plates of a frame, the most confident first.

    From `confidence` on, or from what the model's manifest names.
    """

    def __init__(self, model: Network, confidence: float | None = None, max_plates: int = 16) -> None:
        self._model = model
        self.confidence = model.manifest.confidence if confidence is None else confidence
        self.max_plates = max_plates
        shape = model.manifest.input
        self._canvas = np.full((1, shape.height, shape.width, 3), PADDING_BGR, np.uint8)

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of the network's input, in pixels."""
        return self._canvas.shape[2], self._canvas.shape[1]

    def find(self, frame: Frame, confidence: float | None = None) -> list[PlateDetection]:
        """Plates with corners in pixels of `frame.image_bgr`; searched in `frame.small_bgr` if there is one.

        If there may be a large plate, the picture is searched once more at half its size: there such plates are found
        from edge to edge. `confidence` takes the place of the detector's own for this frame.
        """
        wanted = self.confidence if confidence is None else confidence
        picture = frame.image_bgr if frame.small_bgr is None else frame.small_bgr
        large_px = _LARGE * self._canvas.shape[2]
        outputs = self._run_on(picture, 1.0)
        found = outputs.plates(wanted, self.max_plates)
        if outputs.widest_px(_SUSPECTED) >= large_px:
            again = self._run_on(picture, 0.5).plates(max(wanted, self.confidence), _EVERY)
            large = [plate for plate in again if np.ptp(plate.corners_px[:, 0]) * outputs.scale[0] >= large_px]
            found = _with_large(found, large)[: self.max_plates]
        enlarge = np.array(frame.image_bgr.shape[1::-1], np.float32) / np.array(picture.shape[1::-1], np.float32)
        return [replace(plate, corners_px=(plate.corners_px * enlarge).astype(np.float32)) for plate in found]

    def _run_on(self, picture: ImageBgr, share: float) -> "_Outputs":
        """Show the network a picture that fills the `share` of its input's width or height."""
        scale, left, top = self._letterbox(picture, share)
        maps = self._model.run(self._canvas)
        return _Outputs(maps, self._model.manifest.stride, scale, np.array([left, top], np.float32))

    def _letterbox(self, picture: ImageBgr, share: float) -> tuple[Scale, int, int]:
        """Put the whole picture into the network's input; its scale (x, y) and offset there."""
        rows, columns = self._canvas.shape[1:3]
        height, width = picture.shape[:2]
        scale = min(columns / width, rows / height, _LARGEST_SCALE) * share
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = (columns - size[0]) // 2, (rows - size[1]) // 2
        while min(picture.shape[1] / size[0], picture.shape[0] / size[1]) >= 2:
            # Halving is a mean of 2 × 2, so that thin strokes survive.
            half = (picture.shape[1] // 2, picture.shape[0] // 2)
            picture = cv2.resize(picture, half, interpolation=cv2.INTER_LINEAR)
        self._canvas[:] = PADDING_BGR
        field = self._canvas[0, top : top + size[1], left : left + size[0]]
        field[:] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        return np.array([size[0] / width, size[1] / height], np.float32), left, top


@dataclass(frozen=True, slots=True, eq=False)
class _Outputs:
    """The network's outputs for a picture, and the place of the picture in its input."""

    maps: Mapping[str, NDArray[np.float32]]
    stride: int
    scale: Scale
    offset_px: NDArray[np.float32]

    def plates(self, confidence: float, max_plates: int) -> list[PlateDetection]:
        """In pixels of the picture, the most confident first."""
        score, corners, lines = (self.maps[name][0] for name in ("score", "corners", "lines"))
        found = decode(score[..., 0], corners, lines[..., 0], self.stride, confidence, max_plates)
        return [
            replace(plate, corners_px=((plate.corners_px - self.offset_px) / self.scale).astype(np.float32))
            for plate in found
        ]

    def widest_px(self, confidence: float) -> float:
        """Width of the widest plate that there may be, in pixels of the network's input."""
        return widest_px(self.maps["score"][0, ..., 0], self.maps["corners"][0], self.stride, confidence)


def _with_large(found: list[PlateDetection], large: list[PlateDetection]) -> list[PlateDetection]:
    """The large plates in the place of their parts, with what else was found; the most confident first.

    A large plate is as certain as the surest of its parts.
    """
    for plate in large:
        part = _parts(plate, found)
        surest = max((each.confidence for each, is_part in zip(found, part, strict=True) if is_part), default=0.0)
        found = [each for each, is_part in zip(found, part, strict=True) if not is_part]
        found.append(replace(plate, confidence=max(plate.confidence, surest)))
    return sorted(found, key=lambda plate: plate.confidence, reverse=True)


def _parts(large: PlateDetection, found: list[PlateDetection]) -> list[bool]:
    """Which of the plates found are the large one or a part of it."""
    if not found:
        return []
    boxes = hulls(np.stack([large.corners_px, *(plate.corners_px for plate in found)]))
    widths = boxes[:, 2]
    return list(same_plate(boxes[0], boxes[1:]) & (widths[1:] >= _PART * widths[0]))
