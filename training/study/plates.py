"""Generated plates of the study: strips, texts, and the place of every character; split by text."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_app.geometry import corners_of, hulls
from edge_app.recognition.rectifier import Rectifier, find_line_split, widen
from edge_app.records import Corners, ImageBgr, ImageGray, PlateDetection
from training.shapes import ALPHABET, READER_HEIGHT, READER_WIDTH
from training.strips import loosen
from training.synthetic.observation import observe
from training.synthetic.plates import STYLES, Glyph, RenderedPlate, render_plate

WIDE = (512, 64)
"""Width and height of the strips that are cut into characters."""
NARROW = (READER_WIDTH, READER_HEIGHT)
"""Of those that whole-plate readers take."""

HOME = "IN"
SPLITS = ("train", "validation", "test")
_VALIDATION, _TEST = 26, 52
"""Of 256 texts, so many are of the validation split, and of the test split."""

_RANDOM_SHARE = 0.3
"""Of the plates: their text follows no country's pattern, so that I, O and Q are as common as other letters."""
_ONE_LINE = tuple(style.name for style in STYLES if style.lines == 1)

_OVERLAP = 0.04
"""As the rectifier's: share of a plate of two lines that each line takes in beyond the split."""


def split_of(text: str) -> str:
    """`train`, `validation` or `test`: a text is in one of them, however often it is drawn."""
    place = hashlib.sha256(text.encode()).digest()[0]
    return "test" if place < _TEST else "validation" if place < _TEST + _VALIDATION else "train"


@dataclass(frozen=True, slots=True, eq=False)
class StudyPlate:
    """A plate as a camera saw it."""

    wide: ImageGray
    narrow: ImageGray
    text: str
    country: str
    places: NDArray[np.float32]
    """(characters, 4) left, top, width, height on the wide strip, in the order of the text."""


@dataclass(frozen=True, eq=False)
class Plates:
    """All plates of a study; arrays lie on disk."""

    folder: Path

    @cached_property
    def wide(self) -> ImageGray:
        """(plates, 64, 512)."""
        return np.load(self.folder / "wide.npy", mmap_mode="r")

    @cached_property
    def narrow(self) -> ImageGray:
        """(plates, 32, 256)."""
        return np.load(self.folder / "narrow.npy", mmap_mode="r")

    @cached_property
    def facts(self) -> list[dict[str, object]]:
        """Text, country, split and places of each."""
        lines = (self.folder / "plates.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def texts(self, chosen: NDArray[np.int64]) -> list[str]:
        """The texts of some."""
        return [str(self.facts[index]["text"]) for index in chosen]

    def places(self, index: int) -> NDArray[np.float32]:
        """Where the characters of one are."""
        return np.array(self.facts[index]["places"], np.float32).reshape(-1, 4)

    def of(self, split: str, country: str = "") -> NDArray[np.int64]:
        """Those of a split: of every country, of `home`, or of those `abroad`."""
        return np.array(
            [
                index
                for index, fact in enumerate(self.facts)
                if fact["split"] == split and (not country or (fact["country"] == HOME) == (country == "home"))
            ],
            np.int64,
        )


def make_plates(folder: Path, count: int, seed: int) -> Plates:
    """Draw the plates, once."""
    if not (folder / "plates.jsonl").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        wide = np.lib.format.open_memmap(
            folder / "wide.npy", mode="w+", dtype=np.uint8, shape=(count, WIDE[1], WIDE[0])
        )
        narrow = np.zeros((count, NARROW[1], NARROW[0]), np.uint8)
        facts = []
        for index in tqdm(range(count), desc="plates", mininterval=5):
            plate = draw_plate(np.random.default_rng((seed, index)))
            wide[index], narrow[index] = plate.wide, plate.narrow
            facts.append(
                {
                    "text": plate.text,
                    "country": plate.country,
                    "split": split_of(plate.text),
                    "places": plate.places.round(1).tolist(),
                }
            )
        wide.flush()
        np.save(folder / "narrow.npy", narrow)
        (folder / "plates.jsonl").write_text("\n".join(map(json.dumps, facts)) + "\n", encoding="utf-8")
    return Plates(folder)


def draw_plate(rng: np.random.Generator) -> StudyPlate:
    """A plate of a random style and text, seen by a random camera, its corners as inexact as a detector's."""
    plate = (
        render_plate(rng, _ONE_LINE[rng.integers(len(_ONE_LINE))], _random_text(rng), height_px=64)
        if rng.random() < _RANDOM_SHARE
        else render_plate(rng, height_px=64)
    )
    seen = observe(rng, plate)
    corners = loosen(rng, seen.corners_px)
    found = PlateDetection(corners, 1.0, plate.lines)
    wide, narrow = (Rectifier(*size).rectify(seen.image_bgr, found).image_gray for size in (WIDE, NARROW))
    places = places_on_strip(plate, seen.corners_px, corners, seen.image_bgr)
    return StudyPlate(wide, narrow, plate.text, plate.country, places)


def _random_text(rng: np.random.Generator) -> str:
    groups = ("".join(ALPHABET[code] for code in rng.integers(0, len(ALPHABET), rng.integers(2, 6))) for _ in range(2))
    return " ".join(groups)


def places_on_strip(
    plate: RenderedPlate, true_corners: Corners, corners: Corners, image_bgr: ImageBgr
) -> NDArray[np.float32]:
    """Where the characters of a plate are on the wide strip that the rectifier cuts at `corners`."""
    width, height = WIDE
    across, down = (width, height) if plate.lines == 1 else (width // 2, 3 * height)
    target = corners_of((0, 0, across, down))
    matrix = cv2.getPerspectiveTransform(widen(corners), target)
    size = plate.image_bgr.shape[1::-1]
    onto = matrix @ cv2.getPerspectiveTransform(corners_of((0, 0, *size)), true_corners.astype(np.float32))
    quads = np.stack([corners_of(glyph.box_px) for glyph in plate.glyphs])
    places = hulls(cv2.perspectiveTransform(quads.reshape(-1, 1, 2), onto).reshape(-1, 4, 2))
    if plate.lines == 2:
        gray = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        flat = cv2.warpPerspective(gray, matrix, (across, down), borderMode=cv2.BORDER_REPLICATE)
        places = _beside(places, _line_numbers(plate.glyphs), find_line_split(flat))
    return np.asarray(places, np.float32)


def _beside(places: NDArray[np.float32], lines: NDArray[np.int64], split: int) -> NDArray[np.float32]:
    """The same with the lower line put to the right of the upper one, each as high as the strip."""
    width, height = WIDE
    overlap = round(3 * height * _OVERLAP)
    above, below = split + overlap, 3 * height - split + overlap
    scale = np.where(lines == 0, height / above, height / below)
    top = np.where(lines == 0, 0, split - overlap)
    moved = places.copy()
    moved[:, 0] += lines * (width // 2)
    moved[:, 1] = (places[:, 1] - top) * scale
    moved[:, 3] = places[:, 3] * scale
    return moved


def _line_numbers(glyphs: tuple[Glyph, ...]) -> NDArray[np.int64]:
    """0 for the upper line; the lower one begins where the next character lies to the left of the one before."""
    lefts = np.array([glyph.box_px[0] for glyph in glyphs])
    return np.minimum(np.cumsum(np.r_[0, lefts[1:] < lefts[:-1]]), 1)
