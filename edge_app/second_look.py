"""Reads a plate of a frame again from close by, for whoever has the time: when its vehicle has gone."""

from edge_app.recognition.closer_look import look_closely
from edge_app.recognition.turned_view import turned_view
from edge_app.records import ImageBgr, PlateDetection, Reading
from edge_app.stages import Stages, as_frame, shows


class SecondLook:
    """`read` takes several times as long as reading a plate once, and gets right much that was cut off or askew."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages

    def read(self, image_bgr: ImageBgr, found: PlateDetection) -> tuple[PlateDetection, Reading]:
        """Where the plate lies and what is read there, in pixels of `image_bgr`, which shows its surroundings.

        In a whole frame the detector sees a plate at a part of its size, and its corners a few pixels off. Here it is
        shown the plate as large as it can see it, and where that leaves doubt, the reader looks around.
        """
        view = turned_view(image_bgr, found, 0)
        again = map(view.placed, self._stages.detector.find(as_frame(view.image_bgr)))
        nearer = max((plate for plate in again if shows(plate, found)), key=_confidence, default=found)
        seen = look_closely(nearer, lambda plate: self._stages.look(image_bgr, plate), lambda: ())
        return seen.detection, seen.readings[0]


def _confidence(plate: PlateDetection) -> float:
    return plate.confidence
