"""Which parts of the picture count, and what they are called."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_app.config import ZoneSettings
from edge_app.records import PlateDetection


class Zones:
    """Named polygons; a plate is where its centre is."""

    def __init__(self, settings: Sequence[ZoneSettings]) -> None:
        self._polygons = [(zone, np.array(zone.polygon, np.float32)) for zone in settings]
        self.is_restricted = any(zone.include for zone in settings)
        """Whether plates count only in some parts of the picture."""

    def admits(self, detection: PlateDetection, frame_size: tuple[int, int]) -> bool:
        """Whether the plate is in no excluded zone and, if any is included, in one of these."""
        inside = self._around(detection, frame_size)
        excluded = any(not zone.include for zone in inside)
        return not excluded and (bool(inside) or not self.is_restricted)

    def names(self, detection: PlateDetection, frame_size: tuple[int, int]) -> list[str]:
        """The zones that contain the plate, in the order of the settings."""
        return [zone.name for zone in self._around(detection, frame_size)]

    def _around(self, detection: PlateDetection, frame_size: tuple[int, int]) -> list[ZoneSettings]:
        x, y = detection.corners_px.mean(axis=0) / np.array(frame_size, np.float32)
        centre = (float(x), float(y))
        return [
            zone for zone, polygon in self._polygons if cv2.pointPolygonTest(polygon, centre, measureDist=False) >= 0
        ]
