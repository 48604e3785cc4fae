"""Finds the plates of a frame with the MobileNetV2 network."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.detection.corner_decoding import decode
from edge_app.records import Frame, ImageBgr, PlateDetection
from edge_app.tflite_model import Network

_PADDING_GREY = 114

_LARGEST_SCALE = 1.5
"""Small pictures are not blown up further than this: it would add nothing that the network can see."""

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
        picture = frame.image_bgr if frame.small_bgr is None else frame.small_bgr
        scale, left, top = self._letterbox(picture)
        outputs = self._model.run(self._canvas)
        stride = self._model.manifest.stride
        plates = decode(
            outputs["score"][0, :, :, 0],
            outputs["corners"][0],
            outputs["lines"][0, :, :, 0],
            stride,
            self._confidence if confidence is None else confidence,
            self._max_plates,
        )
        offset = np.array([left, top], np.float32)
        enlarge = np.array(frame.image_bgr.shape[1::-1], np.float32) / np.array(picture.shape[1::-1], np.float32)
        return [
            PlateDetection(
                ((plate.corners_px - offset) / scale * enlarge).astype(np.float32), plate.confidence, plate.lines
            )
            for plate in plates
        ]

    def _letterbox(self, picture: ImageBgr) -> tuple[Scale, int, int]:
        """Put the whole picture into the network's input; scale (x, y) and offset of where it lies."""
        rows, columns = self._canvas.shape[1:3]
        height, width = picture.shape[:2]
        scale = min(columns / width, rows / height, _LARGEST_SCALE)
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
