"""Finds the plates of a frame with the MobileNetV2 network."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.detection.corner_decoding import decode, hulls, same_plate
from edge_app.records import Frame, ImageBgr, PlateDetection
from edge_app.tflite_model import Network

_PADDING_GREY = 114

_LARGEST_SCALE = 1.5
"""Small pictures are not blown up further than this: it would add nothing that the network can see."""

_LARGE = 0.4
"""Of the width of the network's input. The network has learned few plates of this size; where there may be one, the
picture is searched a second time at half its size."""

_SUSPECTED = 0.2
"""The confidence from which on a large plate may be there."""

Scale = NDArray[np.float32]
"""(2,): pixels of the network's input per pixel of the picture, along x and y."""


class PlateDetector:
    """`find` gives the plates of a frame, the most confident first.

    From `confidence` on, or from what the model's manifest names.
    """

    def __init__(self, model: Network, confidence: float | None = None, max_plates: int = 16) -> None:
        self._model = model
        self._confidence = model.manifest.confidence if confidence is None else confidence
        self._max_plates = max_plates
        shape = model.manifest.input
        self._canvas = np.full((1, shape.height, shape.width, 3), _PADDING_GREY, np.uint8)

    def find(self, frame: Frame, confidence: float | None = None) -> list[PlateDetection]:
        """Plates with corners in pixels of `frame.image_bgr`; searched in `frame.small_bgr` where there is one.

        `confidence` takes the place of the detector's own for this frame.
        """
        wanted = self._confidence if confidence is None else confidence
        picture = frame.image_bgr if frame.small_bgr is None else frame.small_bgr
        seen = self._look(picture, 1.0)
        found = seen(wanted)
        if any(self._is_large(plate, picture) for plate in seen(min(wanted, _SUSPECTED))):
            again = self._look(picture, 0.5)(wanted)
            found = _with_large(found, [plate for plate in again if self._is_large(plate, picture)])
        enlarge = np.array(frame.image_bgr.shape[1::-1], np.float32) / np.array(picture.shape[1::-1], np.float32)
        return [replace(plate, corners_px=(plate.corners_px * enlarge).astype(np.float32)) for plate in found]

    def _look(self, picture: ImageBgr, share: float) -> Callable[[float], list[PlateDetection]]:
        """Show the network a picture that fills the `share` of its input's width or height.

        What comes back tells the plates from a confidence on, in pixels of the picture.
        """
        scale, left, top = self._letterbox(picture, share)
        outputs = self._model.run(self._canvas)
        offset = np.array([left, top], np.float32)

        def plates(confidence: float) -> list[PlateDetection]:
            found = decode(
                outputs["score"][0, :, :, 0],
                outputs["corners"][0],
                outputs["lines"][0, :, :, 0],
                self._model.manifest.stride,
                confidence,
                self._max_plates,
            )
            return [
                replace(plate, corners_px=((plate.corners_px - offset) / scale).astype(np.float32)) for plate in found
            ]

        return plates

    def _is_large(self, plate: PlateDetection, picture: ImageBgr) -> bool:
        """Whether the plate is wide in the network's input, where the picture fills it."""
        width_px = float(np.ptp(plate.corners_px[:, 0]))
        return width_px * self._scale(picture) >= _LARGE * self._canvas.shape[2]

    def _scale(self, picture: ImageBgr) -> float:
        """Pixels of the network's input per pixel of the picture that fills it."""
        rows, columns = self._canvas.shape[1:3]
        height, width = picture.shape[:2]
        return min(columns / width, rows / height, _LARGEST_SCALE)

    def _letterbox(self, picture: ImageBgr, share: float) -> tuple[Scale, int, int]:
        """Put the whole picture into the network's input; scale (x, y) and offset of where it lies."""
        rows, columns = self._canvas.shape[1:3]
        height, width = picture.shape[:2]
        scale = self._scale(picture) * share
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = (columns - size[0]) // 2, (rows - size[1]) // 2
        while min(picture.shape[1] / size[0], picture.shape[0] / size[1]) >= 2:
            # Halving is a mean of 2 × 2, so that thin strokes survive.
            half = (picture.shape[1] // 2, picture.shape[0] // 2)
            picture = cv2.resize(picture, half, interpolation=cv2.INTER_LINEAR)
        self._canvas[:] = _PADDING_GREY
        field = self._canvas[0, top : top + size[1], left : left + size[0]]
        field[:] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        return np.array([size[0] / width, size[1] / height], np.float32), left, top


def _with_large(found: list[PlateDetection], large: list[PlateDetection]) -> list[PlateDetection]:
    """The large ones, and of the others those that are not the same plates; the most confident first."""
    if not large:
        return found
    boxes = hulls(np.stack([plate.corners_px for plate in large]))
    others = [plate for plate in found if not same_plate(hulls(plate.corners_px[None])[0], boxes).any()]
    return sorted([*large, *others], key=lambda plate: plate.confidence, reverse=True)
