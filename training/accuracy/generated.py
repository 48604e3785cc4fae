"""Generated plates of a known size and blur: the reader's limits, without the detector's."""

from collections.abc import Callable

import cv2
import numpy as np

from edge_app.records import PlateDetection
from edge_app.stages import Stages
from training.accuracy.outcomes import Bin
from training.synthetic.observation import place
from training.synthetic.plates import RenderedPlate, render_plate

_SEED = 20_011
"""Of no training run."""

_COUNTRY = "IN"

_LINE_HEIGHTS_PX = (6.0, 8.0, 10.0, 12.0, 16.0, 24.0, 36.0)
_BLURS_PX = (0.0, 0.8, 1.6, 2.4, 3.2, 4.0, 5.0)
BLURRED_LINE_HEIGHT_PX = 24.0
"""Of the plates that are blurred."""


def generated_bins(stages: Stages, plates: int, progress: Callable[[int, int], None]) -> tuple[list[Bin], list[Bin]]:
    """The share read right over the height of a line, and over the sigma of a Gaussian blur, both in pixels.

    `plates` of them are made for each point.
    """
    kinds = [(height_px, 0.0) for height_px in _LINE_HEIGHTS_PX]
    kinds += [(BLURRED_LINE_HEIGHT_PX, blur_px) for blur_px in _BLURS_PX]
    shares = []
    for done, kind in enumerate(kinds, 1):
        shares.append(_share_right(stages, plates, *kind))
        progress(done, len(kinds))
    sizes, blurs = shares[: len(_LINE_HEIGHTS_PX)], shares[len(_LINE_HEIGHTS_PX) :]
    return (
        [Bin(*each, plates) for each in zip(_LINE_HEIGHTS_PX, sizes, strict=True)],
        [Bin(*each, plates) for each in zip(_BLURS_PX, blurs, strict=True)],
    )


def _share_right(stages: Stages, plates: int, line_height_px: float, blur_px: float) -> float:
    """Of the same plates at the same angles whatever the size and the blur, read through their exact corners."""
    right = 0
    for index in range(plates):
        rng = np.random.default_rng((_SEED, index))
        plate = _indian(rng)
        seen = place(rng, plate, line_height_px)
        image_bgr = (
            np.asarray(cv2.GaussianBlur(seen.image_bgr, (0, 0), blur_px), np.uint8) if blur_px else seen.image_bgr
        )
        strip = stages.rectifier.rectify(image_bgr, PlateDetection(seen.corners_px, 1.0, plate.lines))
        text = stages.voter.settle([stages.reader.read(strip)])
        right += text is not None and text.text == plate.text
    return right / plates


def _indian(rng: np.random.Generator) -> RenderedPlate:
    while (plate := render_plate(rng, height_px=64)).country != _COUNTRY:
        pass
    return plate
