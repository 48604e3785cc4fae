"""Noise, lettering and façades: the surface of flat things."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.records import ImageBgr
from training.synthetic.lettering import draw_line, separator, shipped_fonts
from training.synthetic.solids import Colour

Tile = NDArray[np.float32]

_WORDS = (
    "HORN", "OK", "PLEASE", "STOP", "SRI", "GANESH", "TRADERS", "HOTEL", "MEDICALS", "TYRES", "MOBILE", "WORLD",
    "CAFE", "BANK", "SILK", "HOUSE", "SWEETS", "BAKERY", "TRAVELS", "TAXI", "SCHOOL", "BUS", "CITY", "EXPRESS",
    "CARGO", "MARKET", "GOODS", "CARRIER", "DIESEL", "KEEP", "DISTANCE", "FOR", "SALE", "SERVICE", "CENTRE",
    "PARKING", "NO", "ENTRY", "SALON", "ELECTRICALS", "GARMENTS", "ATM", "24", "7", "80", "50", "OPEN",
    "PHARMACY", "BABY", "ON", "BOARD", "TURBO", "4X4",
)  # fmt: skip


@cache
def noise_tile(octaves: int = 6, seed: int = 7) -> Tile:
    """Cloudy noise (512, 512) of mean 0 and deviation 1 that continues over its edges."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((512, 512)))
    frequency = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512)[None])
    frequency[0, 0] = np.inf
    tile = np.fft.irfft2(spectrum / frequency ** (octaves / 6))
    return np.asarray((tile - tile.mean()) / tile.std(), np.float32)


@cache
def sensor_noise() -> Tile:
    """Independent noise (1200, 2000) of deviation 1 to cut pieces from."""
    return np.random.default_rng(11).standard_normal((1200, 2000), np.float32)


def lettered(rng: np.random.Generator, words: int, ink: Colour, paper: Colour, height_px: int = 48) -> ImageBgr:
    """Words, one number among them at most, or a telephone number on a coloured board; not laid out as a plate is."""
    if rng.random() < 0.15:
        chosen = tuple("".join(str(digit) for digit in half) for half in rng.integers(0, 10, (2, 5)))
    else:
        chosen = tuple(_WORDS[rng.integers(len(_WORDS))] for _ in range(words))
        numbers = [word for word in chosen if word.isdigit()]
        chosen = (*(word for word in chosen if not word.isdigit()), *numbers[:1])
    fonts = shipped_fonts()
    font, letter_gap, word_gap = fonts[rng.integers(len(fonts))], int(rng.integers(2, 14)), int(rng.integers(16, 40))
    mask = draw_line(chosen, font, letter_gap, separator("space", word_gap))
    edge = int(mask.shape[0] * rng.uniform(0.1, 0.5))
    mask = cv2.copyMakeBorder(mask, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=0)
    mask = cv2.resize(
        mask, (max(8, mask.shape[1] * height_px // mask.shape[0]), height_px), interpolation=cv2.INTER_AREA
    )
    cover = mask[..., None].astype(np.float32) / 255
    return np.asarray(np.array(paper) * (1 - cover) + np.array(ink) * cover, np.uint8)


def facade(rng: np.random.Generator, width: float, height: float, darkness: float) -> ImageBgr:
    """A house's wall of a size in metres: storeys of windows, shops below."""
    unit = 14
    columns, rows = max(24, int(width * unit)), max(24, int(height * unit))
    base = rng.integers(70, 225) * np.array([1, 1, 1]) + rng.integers(-30, 30, 3)
    wall = np.empty((rows, columns, 3), np.float32)
    wall[:] = base
    wall += cv2.resize(noise_tile()[:64, :64], (columns, rows))[..., None] * 6
    picture = np.clip(wall, 0, 255).astype(np.uint8)
    storey, bay = int(unit * rng.uniform(2.8, 3.4)), int(unit * rng.uniform(1.6, 3.2))
    pane = int(bay * rng.uniform(0.4, 0.8)), int(storey * rng.uniform(0.35, 0.6))
    blue, green, red = np.clip(base * rng.uniform(0.5, 1.3), 0, 255).astype(int).tolist()
    trim = (blue, green, red)
    for y in range(storey // 4, rows - storey - pane[1], storey):
        cv2.rectangle(picture, (0, y + pane[1] + 4), (columns, y + pane[1] + 6), trim, -1)
        for x in range((bay - pane[0]) // 2, columns - pane[0], bay):
            _window(rng, picture, (x, y), pane, trim, darkness)
    _shops(rng, picture, storey)
    return picture


def _window(
    rng: np.random.Generator,
    picture: ImageBgr,
    at: tuple[int, int],
    pane: tuple[int, int],
    trim: Colour,
    darkness: float,
) -> None:
    x, y = at
    lit = darkness > 0.35 and rng.random() < 0.4
    shade = int(rng.integers(30, 90))
    inside = (120, 200, 255) if lit else (shade + 12, shade + 5, shade)
    cv2.rectangle(picture, (x - 2, y - 2), (x + pane[0] + 2, y + pane[1] + 2), trim, -1)
    cv2.rectangle(picture, (x, y), (x + pane[0], y + pane[1]), inside, -1)
    cv2.line(picture, (x + pane[0] // 2, y), (x + pane[0] // 2, y + pane[1]), trim, 1)


def _shops(rng: np.random.Generator, picture: ImageBgr, storey: int) -> None:
    rows, columns = picture.shape[:2]
    x = int(rng.integers(2, 20))
    while x < columns - 40:
        width = min(int(rng.integers(36, 90)), columns - x - 4)
        shutter = tuple(int(value) for value in rng.integers(30, 190, 3))
        top = rows - int(storey * 0.7)
        cv2.rectangle(picture, (x, top), (x + width, rows), shutter, -1)
        if rng.random() < 0.5:
            picture[top::3, x : x + width] = picture[top::3, x : x + width] // 2 + 30
        paper, ink = rng.integers(20, 245, 3), rng.integers(0, 2) * 230
        board = lettered(
            rng, int(rng.integers(1, 4)), (int(ink),) * 3, (int(paper[0]), int(paper[1]), int(paper[2])), 24
        )
        board = cv2.resize(board, (width, max(6, storey // 4)), interpolation=cv2.INTER_AREA)
        picture[top - board.shape[0] : top, x : x + width] = board
        x += width + int(rng.integers(4, 30))
