"""What an OCR reads on strips: our shipped reader, and Tesseract where it is installed."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_app.records import ImageGray
from edge_app.tflite_model import TfliteModel
from training.repository import REPOSITORY
from training.shapes import ALPHABET
from training.study.store import Store
from training.study.texts import greedy

READERS = ("ours", "tesseract")
_MARGIN_PX = 12
"""Of white around a strip: Tesseract reads no text at a picture's edge."""


def has_tesseract() -> bool:
    """Whether it is installed."""
    return shutil.which("tesseract") is not None


def reads_of(store: Store, split: str, most: int) -> dict[str, list[tuple[str, str]]]:
    """(read, truth) of the first strips of a split by each reader; Tesseract reads fewer, for it is slow."""
    plates = store.plates()
    chosen = plates.of(split)[:most]
    few = chosen[: store.setting.read_by_tesseract] if has_tesseract() else chosen[:0]
    folder = store.place("reads", store.setting.plates, split, most, len(few), modules=("training.study.ocr",))
    path = folder / "reads.json"
    if not path.is_file():
        reads = {
            "ours": read_by_us(np.asarray(plates.narrow[chosen])),
            "tesseract": read_by_tesseract(np.asarray(plates.wide[few])) if len(few) else [],
        }
        path.write_text(json.dumps(reads), encoding="utf-8")
    reads = json.loads(path.read_text(encoding="utf-8"))
    texts = {"ours": plates.texts(chosen), "tesseract": plates.texts(few)}
    return {reader: list(zip(reads[reader], texts[reader], strict=True)) for reader in READERS}


def read_by_us(strips: ImageGray) -> list[str]:
    """The likeliest path of the shipped int8 reader, without formats."""
    reader = TfliteModel.load(REPOSITORY / "models/plate_reader.tflite", "plate-reader")
    return [
        greedy(reader.run(strip[None, :, :, None])["logits"][0])
        for strip in tqdm(strips, desc="our reads", mininterval=5)
    ]


def read_by_tesseract(strips: ImageGray) -> list[str]:
    """As one line of capitals and digits."""
    with tempfile.TemporaryDirectory() as directory:
        names = []
        for index, strip in enumerate(strips):
            names.append(str(Path(directory) / f"{index}.png"))
            cv2.imwrite(names[-1], cv2.copyMakeBorder(_dark_on_light(strip), *[_MARGIN_PX] * 4, cv2.BORDER_REPLICATE))
        (Path(directory) / "list.txt").write_text("\n".join(names), encoding="utf-8")
        command = [
            *("tesseract", str(Path(directory) / "list.txt"), "stdout", "--psm", "7"),
            *("-c", f"tessedit_char_whitelist={ALPHABET}", "-c", "page_separator=\f"),
        ]
        one_thread = os.environ | {"OMP_THREAD_LIMIT": "1"}  # several are slower on so small a picture
        found = subprocess.run(command, capture_output=True, text=True, check=True, env=one_thread)
        pages = found.stdout.split("\f")
    return ["".join(each for each in page.upper() if each in ALPHABET) for page in pages[: len(strips)]]


def _dark_on_light(strip: ImageGray) -> NDArray[np.uint8]:
    """Tesseract expects it so; most of a plate is background."""
    return 255 - strip if np.median(strip) < strip.mean() else strip
