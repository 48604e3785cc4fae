"""The smallest things that can be converted and compared: networks that have learned nothing, and drawn plates."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.records import ImageBgr
from edge_app.tflite_model import InputShape
from training.shapes import READER_HEIGHT, READER_STEPS, READER_WIDTH
from training.synthetic.plates import render_plate

TEXTS = ("MH 12 AB 1234", "KA 01 MN 4567", "TN 22 CX 9080", "GJ 05 JK 7311")


def reader_of_nothing(seed: int = 1) -> Any:
    """A network of the reader's shape with one convolution that has learned nothing."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    pixels = layers.Input((READER_HEIGHT, READER_WIDTH, 1), name="pixels")
    maps = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    maps = layers.AveragePooling2D((8, 4))(maps)
    maps = layers.Conv2D(37, (4, 1), name="only")(maps)
    return keras.Model(
        pixels, {"logits": layers.Reshape((READER_STEPS, 37), name="logits")(maps)}, name="reader_of_nothing"
    )


def detector_of_nothing() -> Any:
    """A network of the detector's shape that is sure of seeing no plate."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    pixels = layers.Input((None, None, 3), name="pixels")
    maps = layers.AveragePooling2D(8)(layers.Rescaling(1 / 127.5, offset=-1)(pixels))
    rare = keras.initializers.Constant(-99.0)
    outputs = {
        "score": layers.Conv2D(1, 1, name="score", bias_initializer=rare)(maps),
        "corners": layers.Conv2D(8, 1, name="corners")(maps),
        "lines": layers.Conv2D(1, 1, name="lines")(maps),
    }
    return keras.Model(pixels, outputs, name="detector_of_nothing")


def noise(shape: InputShape, count: int = 4) -> list[NDArray[np.uint8]]:
    """Inputs of a network, of noise."""
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (1, shape.height, shape.width, shape.channels), dtype=np.uint8) for _ in range(count)]


def drawn_scenes(folder: Path, texts: tuple[str, ...] = TEXTS) -> Path:
    """A dataset folder with a picture of each text: a plate on a grey wall; the empty text is the wall alone."""
    pictures = []
    for text in texts:
        wall = np.full((384, 640, 3), 70, np.uint8)
        plate = _drawn(text) if text else wall[:0, :0]
        height, width = plate.shape[:2]
        wall[200 : 200 + height, 150 : 150 + width] = plate
        pictures.append((wall, [_label(text, [150, 200, width, height])] if text else []))
    return _written(folder, pictures)


def drawn_crops(folder: Path, texts: tuple[str, ...] = TEXTS) -> Path:
    """A dataset folder with each text as a plate and nothing around it."""
    return _written(folder, [(_drawn(text), [_label(text, None)]) for text in texts])


def _drawn(text: str) -> ImageBgr:
    return render_plate(np.random.default_rng(3), "hsrp", text, height_px=40).image_bgr


def _label(text: str, box: list[int] | None) -> dict[str, Any]:
    return {"box": box, "corners": None, "text": text.replace(" ", ""), "country": "IN"}


def _written(folder: Path, pictures: list[tuple[ImageBgr, list[dict[str, Any]]]]) -> Path:
    (folder / "images").mkdir(parents=True)
    with (folder / "labels.jsonl").open("w") as labels:
        for number, (picture, plates) in enumerate(pictures):
            height, width = picture.shape[:2]
            cv2.imwrite(str(folder / "images" / f"{number}.png"), picture)
            label = {"image": f"images/{number}.png", "width": width, "height": height, "plates": plates}
            labels.write(json.dumps(label) + "\n")
    return folder
