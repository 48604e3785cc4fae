"""Scenes for the comparison of float and int8, if no real pictures are given."""

import json
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

_SCENES = 80
_SEED = 20_012
"""Of no training and no calibration."""


def generated_scenes(folder: Path) -> Path:
    """A dataset folder of rendered scenes with the corners and texts of their plates, the same every time."""
    from training.synthetic.scenes import render_scene

    (folder / "images").mkdir(parents=True)
    lines = []
    for index in tqdm(range(_SCENES), desc="rendering scenes to compare on", unit="scene"):
        scene = render_scene(np.random.default_rng((_SEED, index)))
        name = f"images/{index}.png"
        cv2.imwrite(str(folder / name), scene.image_bgr)
        plates = [
            {"corners": plate.corners_px.tolist(), "text": plate.text, "country": plate.country}
            for plate in scene.plates
        ]
        height, width = scene.image_bgr.shape[:2]
        lines.append(json.dumps({"image": name, "width": width, "height": height, "plates": plates}) + "\n")
    (folder / "labels.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder
