"""Lines of text as masks, from glyphs that are drawn once and kept."""

from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Mask = NDArray[np.uint8]
"""(height, width), 255 in painted places."""

Affine = NDArray[np.float32]
"""(2, 3): where a point of the line as drawn lies after it was restyled."""

CAP_HEIGHT_PX = 64
TAIL_PX = 9
"""Room above and below the letters, for the tail of a Q."""
_LINE_PX = CAP_HEIGHT_PX + 2 * TAIL_PX

_SHIPPED = Path(__file__).parent.parent / "fonts"
_SYSTEM = Path("/usr/share/fonts")
_SYSTEM_NAMES = (
    "OSP-DIN.ttf", "RG2014C.ttf", "RG2014D.ttf", "RG2014E.ttf", "RG2014B.ttf", "BebasNeue-Bold.otf",
    "BebasNeue-Regular.otf", "routed-gothic.ttf", "routed-gothic-narrow.ttf", "NationalPark-Heavy.otf",
    "NationalPark-Regular.otf", "B612-Bold.otf", "B612Mono-Bold.otf", "NimbusSans-Bold.otf", "NimbusSans-Regular.otf",
    "NimbusSansNarrow-Bold.otf", "LiberationSans-Bold.ttf", "LiberationSans-Regular.ttf",
    "LiberationSansNarrow-Bold.ttf", "LiberationMono-Bold.ttf", "LiberationSerif-Bold.ttf", "DejaVuSans-Bold.ttf",
    "DejaVuSansMono-Bold.ttf", "DejaVuSansCondensed-Bold.ttf", "URWGothic-Demi.otf", "LiberationSans-BoldItalic.ttf",
    "NimbusRoman-Bold.otf", "URWBookman-Demi.otf", "LiberationSerif-BoldItalic.ttf", "LiberationSerif-Regular.ttf",
    "NimbusSansNarrow-BoldOblique.otf", "DejaVuSansCondensed-BoldOblique.ttf", "DejaVuSerifCondensed-Bold.ttf",
    "C059-Bold.otf", "P052-Bold.otf", "P052-BoldItalic.otf", "RG2014F.ttf", "routed-gothic-wide.ttf",
    "DejaVuSansCondensed.ttf", "NimbusMonoPS-Bold.otf",
)  # fmt: skip


@cache
def shipped_fonts() -> tuple[Path, ...]:
    """Barlow and Saira, close to the lettering of India's high security plates."""
    return tuple(sorted(_SHIPPED.glob("*.ttf")))


@cache
def all_fonts() -> tuple[Path, ...]:
    """The shipped fonts and whatever of the known system fonts is installed."""
    installed = {path.name: path for path in sorted(_SYSTEM.rglob("*.[ot]tf"))}
    return shipped_fonts() + tuple(installed[name] for name in _SYSTEM_NAMES if name in installed)


@lru_cache(maxsize=64)
def _font(path: Path) -> ImageFont.FreeTypeFont:
    trial = ImageFont.truetype(str(path), 100)
    top, bottom = trial.getbbox("H", anchor="ls")[1::2]
    return ImageFont.truetype(str(path), 100 * CAP_HEIGHT_PX / (bottom - top))


@lru_cache(maxsize=4096)
def _glyph(path: Path, character: str) -> Mask:
    font = _font(path)
    left, _, right, _ = font.getbbox(character, anchor="ls")
    canvas = Image.new("L", (max(1, round(right - left)), _LINE_PX))
    ImageDraw.Draw(canvas).text((-left, CAP_HEIGHT_PX + TAIL_PX), character, fill=255, font=font, anchor="ls")
    return np.asarray(canvas)


def separator(kind: str, gap_px: int) -> Mask:
    """What stands between two groups, as wide as their gap: space, dash, dot or stop (a dot on the baseline)."""
    height = _LINE_PX
    mask = np.zeros((height, max(1, gap_px)), np.uint8)
    if kind == "dash":
        cv2.rectangle(mask, (gap_px // 4, height // 2 - 3), (gap_px - gap_px // 4, height // 2 + 3), 255, -1)
    elif kind in ("dot", "stop"):
        row = height // 2 if kind == "dot" else height - TAIL_PX - 6
        cv2.circle(mask, (gap_px // 2, row), 6, 255, -1, cv2.LINE_AA)
    return mask


def emblem(rng: np.random.Generator) -> Mask:
    """A drawing between two groups: a seal, or the ragged outline of a state, a star or a coat of arms."""
    size = int(CAP_HEIGHT_PX * rng.uniform(0.3, 1.0))
    mask = np.zeros((_LINE_PX, size + 2 * int(rng.integers(2, 12))), np.uint8)
    middle = np.array([mask.shape[1] / 2, _LINE_PX / 2 + rng.normal(0, 3)])
    shade = int(rng.uniform(60, 255))
    if rng.random() < 0.25:
        thickness = 3 if rng.random() < 0.5 else -1
        cv2.circle(mask, (round(middle[0]), round(middle[1])), size // 2, shade, thickness, cv2.LINE_AA)
        return mask
    count = int(rng.integers(5, 14))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    reach = size / 2 * rng.uniform(0.5, 1, (count, 1)) * rng.uniform(0.7, 1.1, 2)
    outline = np.round(middle + np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach).astype(np.int32)
    if rng.random() < 0.7:
        cv2.fillPoly(mask, [outline], shade, cv2.LINE_AA)
    else:
        cv2.polylines(mask, [outline], True, shade, 2, cv2.LINE_AA)
    return mask


def draw_line(words: tuple[str, ...], font: Path, letter_gap_px: int, between: Mask) -> Mask:
    """A line of text, tight at its left and right, `CAP_HEIGHT_PX` high plus room for tails.

    `between` stands between words: a `separator` or an `emblem`.
    """
    pieces: list[Mask] = []
    gap = np.zeros((_LINE_PX, letter_gap_px), np.uint8)
    for word_index, word in enumerate(words):
        if word_index:
            pieces.append(between)
        for letter_index, letter in enumerate(word):
            if letter_index:
                pieces.append(gap)
            pieces.append(_glyph(font, letter))
    return np.hstack(pieces)


def glyph_spans(words: tuple[str, ...], font: Path, letter_gap_px: int, between: Mask) -> list[tuple[str, int, int]]:
    """Each character of a line that `draw_line` draws, and its left and right end in pixels."""
    spans, left = [], 0
    for word_index, word in enumerate(words):
        left += between.shape[1] if word_index else 0
        for letter_index, letter in enumerate(word):
            left += letter_gap_px if letter_index else 0
            right = left + _glyph(font, letter).shape[1]
            spans.append((letter, left, right))
            left = right
    return spans


def restyle(rng: np.random.Generator, mask: Mask) -> tuple[Mask, Affine]:
    """Thicken, thin or slant a line as sign painters do; and where its points went."""
    shear = np.eye(2, 3, dtype=np.float32)
    draw = rng.random()
    if draw < 0.2:
        mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    elif draw < 0.3:
        mask = cv2.erode(mask, np.ones((3, 3), np.uint8))
    if rng.random() < 0.2:
        slant = float(rng.uniform(-0.3, 0.3))
        height, width = mask.shape
        extra = int(abs(slant) * height) + 1
        shear = np.array([[1, -slant, slant * height if slant > 0 else 0], [0, 1, 0]], np.float32)
        mask = cv2.warpAffine(mask, shear, (width + extra, height))
    return mask, shear
