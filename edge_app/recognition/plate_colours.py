"""A plate's colours, and what they mean in India.

The law: rule 50 of the Central Motor Vehicles Rules 1989 as amended by G.S.R. 901(E) of 2001-12-13 (black on yellow for
transport vehicles, black on white for others) and by the amendment of August 2018 (battery-operated: yellow on green
for transport vehicles, white on green for others), with the table of S.O. 2339(E) of 2020-07-14 under section 41(6) of
the Motor Vehicles Act 1988 (rent-a-cab yellow on black, temporary red on yellow, dealers white on red). Rules 76, 77:
missions and consulates, white or yellow on blue. Rule 74: defence, whose plates are black or green, known by the text.
"""

from collections import defaultdict
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.recognition.rectifier import halved, plate_size, surroundings
from edge_app.records import Corners, ImageBgr, PlateColours

_WIDTH, _HEIGHT = 64, 32
_INSET_ACROSS, _INSET_DOWN = 0.04, 0.08
"""Shares of the plate left out at every side: a frame, or what is around the plate."""

_SAMPLED = 24
"""Pixels across and down a picture, at most, by which it is told whether it has colours."""

_GREY = 1.0
"""Standard deviation of both chroma channels (of 255) below which a picture has no colours: infrared, a grey camera."""

_LEAST_CONTRAST = 25.0
"""Grey levels between characters and background."""

_LEAST_LIGHT = 45.0
"""Mean of blue, green and red of the lighter of the two: a darker one shows no colour, but noise."""

_YELLOW, _PALE = -0.2, -0.13
"""Logarithm of blue over green below which a light colour is yellow, and above which it may be white."""

_YELLOW_MIXED = -0.35
"""The same for characters on green or red."""

_TINTED = 0.2
"""Logarithm of red over green, or of blue over green, of a light colour that is neither white nor yellow."""

_DEEP = 0.14
"""Difference between channels, as a share of the lighter colour, from which on the darker one is no black."""

_RED_ON_YELLOW = 0.25
"""Share of a yellow's red that red characters keep beyond that of its green: black blurred into it keeps as much of
both."""

_SURELY_DARK, _PERHAPS_DARK = 0.45, -0.45
"""`_darkness` of a background that is black, and of one whose hue says that it is dark: light ones are far commoner."""

_MEANINGS = {
    ("white", "black"): "private",
    ("yellow", "black"): "commercial",
    ("green", "white"): "electric_private",
    ("green", "yellow"): "electric_commercial",
    ("black", "yellow"): "rental",
    ("yellow", "red"): "temporary",
    ("red", "white"): "dealer",
    ("blue", "white"): "diplomatic",
    ("blue", "yellow"): "diplomatic",
}
BACKGROUNDS = ("black", "blue", "green", "red", "white", "yellow")
CHARACTERS = ("black", "red", "white", "yellow")
CATEGORIES = (*dict.fromkeys(_MEANINGS.values()), "defence")
_FORMATS = ("temporary", "diplomatic", "defence")
"""Formats of India that belong to one category each, whatever the picture shows."""

_UNKNOWN = PlateColours(None, None)

_Colour = NDArray[np.float32]
"""(3,): blue, green, red."""


def category_of(colours: PlateColours, country: str | None, plate_format: str | None) -> str | None:
    """What an Indian plate is for, one of `CATEGORIES`; None if its text and colours do not show it."""
    if country != "IN":
        return None
    if plate_format in _FORMATS:
        return plate_format
    return _MEANINGS.get((colours.background or "", colours.characters or ""))


def majority(votes: Iterable[tuple[PlateColours, float]]) -> PlateColours:
    """The colours that weigh most over several pictures of one plate; those that do not show any do not count."""
    weights: defaultdict[PlateColours, float] = defaultdict(float)
    for colours, weight in votes:
        if colours.background is not None:
            weights[colours] += weight
    return max(weights, key=lambda each: weights[each], default=_UNKNOWN)


def colours_of(image_bgr: ImageBgr, corners_px: Corners) -> PlateColours:
    """The colours of a plate in a picture; each None if the picture does not show it.

    Characters and background are parted by brightness. Which of them is lighter says which colours are possible: light
    backgrounds are white or yellow, dark ones black, green, red or blue, so that the light of the scene hardly matters.
    """
    plate = _flatten(image_bgr, corners_px)
    if _is_grey(image_bgr, plate):
        return _UNKNOWN
    gray = cv2.cvtColor(plate, cv2.COLOR_BGR2GRAY)
    is_light = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1] > 0
    if not 0.02 < float(is_light.mean()) < 0.98:
        return _UNKNOWN
    light, dark = _purest(plate, gray, is_light)
    if light.mean() - dark.mean() < _LEAST_CONTRAST or light.mean() < _LEAST_LIGHT:
        return _UNKNOWN
    light_name = _name_light(light)
    dark_name = _name_dark(light, dark, light_name)
    is_hued = dark_name == "green" or (dark_name == "red" and light_name != "yellow")
    if _darkness(gray, is_light) > (_PERHAPS_DARK if is_hued else _SURELY_DARK):
        if is_hued:  # blur has mixed the background into the characters
            light_name = "yellow" if np.log(light[0] / light[1]) < _YELLOW_MIXED else "white"
        return PlateColours(dark_name, light_name) if light_name else _UNKNOWN
    if light_name is None:
        return _UNKNOWN
    return PlateColours(light_name, dark_name if dark_name in ("black", "red") else None)


def _flatten(image_bgr: ImageBgr, corners_px: Corners) -> ImageBgr:
    """The plate less its edges, at a fixed size; as in the rectifier, only operations alike on all machines."""
    across, down = 1 - 2 * _INSET_ACROSS, 1 - 2 * _INSET_DOWN
    top_left, top_right, bottom_right, bottom_left = corners_px
    middle = corners_px.mean(axis=0)
    right = (top_right + bottom_right - top_left - bottom_left) / 4 * across
    below = (bottom_left + bottom_right - top_left - top_right) / 4 * down
    shown = np.stack([middle + x * right + y * below for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    part, quad = surroundings(image_bgr, shown)
    plate_width_px, plate_height_px = plate_size(corners_px)
    excess = min(plate_height_px / _HEIGHT, plate_width_px / _WIDTH)
    part, quad = halved(part, quad, excess)
    target = np.array([[0, 0], [_WIDTH, 0], [0, _HEIGHT]], np.float32) - np.float32(0.5)
    matrix = cv2.getAffineTransform(quad[[0, 1, 3]], target)
    return np.asarray(cv2.warpAffine(part, matrix, (_WIDTH, _HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _is_grey(image_bgr: ImageBgr, plate_bgr: ImageBgr) -> bool:
    """Whether neither the plate nor the picture shows a second hue; one tint over all is that of a grey camera."""
    height, width = image_bgr.shape[:2]
    sampled = np.ascontiguousarray(image_bgr[:: height // _SAMPLED + 1, :: width // _SAMPLED + 1])
    return all(_chroma_deviation(each) < _GREY for each in (plate_bgr, sampled))


def _chroma_deviation(image_bgr: ImageBgr) -> float:
    _, deviation = cv2.meanStdDev(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2YCrCb))
    return float(deviation[1:].max())


def _purest(plate_bgr: ImageBgr, gray: NDArray[np.uint8], is_light: NDArray[np.bool_]) -> tuple[_Colour, _Colour]:
    """The lighter and the darker colour: of each part what is farther from the other, less mixed with it by blur."""
    light = plate_bgr[is_light & (gray >= gray[is_light].mean())].mean(axis=0)
    dark = plate_bgr[~is_light & (gray <= gray[~is_light].mean())].mean(axis=0)
    return np.asarray(light, np.float32), np.asarray(dark, np.float32)


def _darkness(gray: NDArray[np.uint8], is_light: NDArray[np.bool_]) -> float:
    """Above 0 if light characters on a dark background are likelier than dark ones on a light background.

    Characters cover less than half, hardly reach the plate's edge, and are narrower than the background.
    """
    kernel = np.ones((9, 9), np.uint8)
    narrow_dark = float(cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, kernel).mean())
    narrow_light = float(cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, kernel).mean())
    narrowness = (narrow_dark - narrow_light) / (narrow_dark + narrow_light + 1e-3)
    sides = (is_light[:2], is_light[-2:], is_light[:, :2], is_light[:, -2:])
    edge = np.concatenate([side.ravel() for side in sides])
    return 2 * (0.5 - float(is_light.mean())) + 3 * narrowness + 1.5 * (0.3 - float(edge.mean()))


def _name_light(light: _Colour) -> str | None:
    blue, green, red = np.log(light + 8)
    if blue - green < _YELLOW and red - green > -2 * _TINTED:
        return "yellow"
    if blue - green > _PALE and max(abs(red - green), abs(blue - green)) < _TINTED:
        return "white"
    return None


def _name_dark(light: _Colour, dark: _Colour, light_name: str | None) -> str:
    blue, green, red = dark / light.mean()
    if red - max(green, blue) > _DEEP:
        is_red = light_name != "yellow" or dark[2] / light[2] - dark[1] / light[1] > _RED_ON_YELLOW
        return "red" if is_red else "black"
    if max(green, blue) - red > _DEEP:
        return "green" if green > blue else "blue"
    return "black"
