"""The share of plates read right over their size, smear and contrast: the tables of recognition/aiming.py.

`python -m benchmarks.cameras.aim_curve [PLATES]` renders that many Indian plates of one line for each point, as a
fair camera shows them, and reads each once, through its exact corners.
"""

import sys

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.config import Settings
from edge_app.recognition.aiming import CONTRASTS, HEIGHTS_PX, SMEARS, STROKE_SHARE
from edge_app.records import ImageBgr, PlateDetection
from edge_app.stages import Stages, build_stages
from training.synthetic.observation import ObservedPlate, place
from training.synthetic.plates import RenderedPlate, render_plate

SEED = 20_012
PLAIN_HEIGHT_PX = 30.0
"""Of the plates whose contrast is low."""
ROW = 1.25
"""A plate's height over that of its line of text, as `place` has it."""
LENS_PX, NOISE_LEVELS, JPEG_QUALITY = 0.6, 3.0, 85


def main(plates: int) -> int:
    """Print both tables."""
    stages, rendered = build_stages(Settings()), [_indian(index) for index in range(plates)]
    print(f"{plates} plates a point; rows: plate height in pixels; columns: smear in strokes {SMEARS}")
    for height_px in HEIGHTS_PX:
        shares = [_share_right(stages, rendered, height_px, smear, 220.0) for smear in SMEARS]
        print(f"    ({', '.join(f'{share:.2f}' for share in shares)}),  # {height_px:g} px", flush=True)
    shares = [_share_right(stages, rendered, PLAIN_HEIGHT_PX, 0.0, levels) for levels in CONTRASTS]
    print(f"contrast {CONTRASTS} levels at {PLAIN_HEIGHT_PX:g} px:", ", ".join(f"{share:.2f}" for share in shares))
    return 0


def _share_right(stages: Stages, plates: list[RenderedPlate], height_px: float, smear: float, contrast: float) -> float:
    right = 0
    for index, plate in enumerate(plates):
        rng = np.random.default_rng((SEED, index))
        seen = place(rng, plate, height_px / ROW)
        picture = _seen(rng, seen, smear * STROKE_SHARE * height_px, contrast)
        strip = stages.rectifier.rectify(picture, PlateDetection(seen.corners_px, 1.0, plate.lines))
        text = stages.voter.settle([stages.reader.read(strip)])
        right += text is not None and text.text == plate.text
    return right / len(plates)


def _seen(rng: np.random.Generator, seen: ObservedPlate, smear_px: float, contrast: float) -> ImageBgr:
    """The picture in less contrast, smeared to the side, through a lens, with noise, from an encoder."""
    values = seen.image_bgr.astype(np.float32)
    dark, light = np.percentile(values, (5, 95))
    values = 120 + (values - (dark + light) / 2) * min(1.0, contrast / max(1.0, light - dark))
    values = cv2.GaussianBlur(smeared(values, smear_px), (0, 0), LENS_PX)
    picture = np.clip(values + rng.normal(0, NOISE_LEVELS, (*values.shape[:2], 1)), 0, 255).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1]
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def smeared(values: NDArray[np.float32], smear_px: float) -> NDArray[np.float32]:
    """A picture whose content moved to the side by so many pixels while it was exposed."""
    kernel = np.zeros(2 * int(smear_px) + 3, np.float32)
    places = np.linspace(-smear_px / 2, smear_px / 2, 201) + len(kernel) // 2
    np.add.at(kernel, np.floor(places).astype(int), 1 - places % 1)
    np.add.at(kernel, np.floor(places).astype(int) + 1, places % 1)
    return np.asarray(
        cv2.filter2D(values, -1, (kernel / kernel.sum())[None], borderType=cv2.BORDER_REPLICATE), np.float32
    )


def _indian(index: int) -> RenderedPlate:
    rng = np.random.default_rng((SEED, index))
    while (plate := render_plate(rng, height_px=64)).country != "IN" or plate.lines != 1:
        pass
    return plate


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
