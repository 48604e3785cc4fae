"""Flat plates: every Indian layout and colour, and the styles of other countries."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from edge_app.geometry import Box, corners_of, hulls
from edge_app.records import ImageBgr
from training.synthetic.lettering import (
    CAP_HEIGHT_PX,
    TAIL_PX,
    Affine,
    Mask,
    all_fonts,
    draw_line,
    emblem,
    glyph_spans,
    restyle,
    separator,
    shipped_fonts,
)
from training.synthetic.texts import FOREIGN_COUNTRIES, PlateWords, foreign_words, indian_words

Colour = tuple[int, int, int]
"""Blue, green, red."""

Fonts = tuple[Path, ...] | None
"""Those to choose from; None: all that the machine has."""


@dataclass(frozen=True, slots=True)
class PlateStyle:
    """A style: shape, colours, the print beside the text, and how common it is."""

    name: str
    country: str
    lines: int
    aspect: tuple[float, float]
    """Width over height, from and to."""
    background: Colour
    ink: Colour
    share: float
    kind: str = "standard"
    band: str = ""
    """Narrow field at the left: `hsrp`, `eu` or none."""
    header: str = ""
    """Place of the small print: `top`, `bottom`, `both`, `mercosul`, `crest` (a sign and room above) or none."""


_WHITE, _BLACK, _YELLOW = (235, 235, 235), (25, 25, 25), (40, 195, 240)
_GREEN, _RED, _BLUE = (70, 140, 40), (35, 30, 190), (150, 60, 20)

_ONE, _TWO = (3.6, 5.2), (1.5, 2.1)
STYLES = (
    PlateStyle("hsrp", "IN", 1, (4.0, 4.4), _WHITE, _BLACK, 16, band="hsrp"),
    PlateStyle("white", "IN", 1, _ONE, _WHITE, _BLACK, 16),
    PlateStyle("commercial", "IN", 1, _ONE, _YELLOW, _BLACK, 5, band="hsrp"),
    PlateStyle("electric", "IN", 1, (4.0, 4.4), _GREEN, _WHITE, 2, band="hsrp"),
    PlateStyle("rental", "IN", 1, _ONE, _BLACK, _YELLOW, 1),
    PlateStyle("trade", "IN", 1, _ONE, _RED, _WHITE, 4),
    PlateStyle("temporary", "IN", 1, _ONE, _YELLOW, _RED, 1, kind="temporary"),
    PlateStyle("bharat", "IN", 1, (4.0, 4.4), _WHITE, _BLACK, 2, kind="bh", band="hsrp"),
    PlateStyle("hsrp_two", "IN", 2, (1.5, 2.1), _WHITE, _BLACK, 8, band="hsrp"),
    PlateStyle("white_two", "IN", 2, _TWO, _WHITE, _BLACK, 16),
    PlateStyle("commercial_two", "IN", 2, _TWO, _YELLOW, _BLACK, 5, band="hsrp"),
    PlateStyle("rickshaw", "IN", 2, (1.0, 1.5), _YELLOW, _BLACK, 3),
    PlateStyle("white_square", "IN", 2, (1.0, 1.5), _WHITE, _BLACK, 2),
    PlateStyle("electric_two", "IN", 2, _TWO, _GREEN, _WHITE, 1, band="hsrp"),
    PlateStyle("rental_two", "IN", 2, _TWO, _BLACK, _YELLOW, 0.5),
    PlateStyle("trade_two", "IN", 2, _TWO, _RED, _WHITE, 1),
    PlateStyle("bharat_two", "IN", 2, _TWO, _WHITE, _BLACK, 0.7, kind="bh", band="hsrp"),
    PlateStyle("euro", "EU", 1, (4.2, 4.9), _WHITE, _BLACK, 6, band="eu"),
    PlateStyle("euro_yellow", "EU", 1, (4.2, 4.9), _YELLOW, _BLACK, 2.5, band="eu"),
    PlateStyle("plain", "??", 1, (3.0, 5.0), _WHITE, _BLACK, 3),
    PlateStyle("plain_dark", "??", 1, (3.0, 5.0), _BLACK, _WHITE, 1.5),
    PlateStyle("plain_blue", "??", 1, (3.0, 5.0), _BLUE, _WHITE, 0.5),
    PlateStyle("plain_two", "??", 2, (1.3, 2.1), _WHITE, _BLACK, 1.5),
    PlateStyle("brazil", "BR", 1, (2.9, 3.3), (185, 185, 185), _BLACK, 2.5, header="top"),
    PlateStyle("mercosul", "BR", 1, (2.9, 3.3), _WHITE, _BLACK, 1.5, header="mercosul"),
    PlateStyle("american", "US", 1, (1.8, 2.1), _WHITE, (110, 50, 25), 6, header="both"),
    PlateStyle("american_yellow", "US", 1, (1.8, 2.1), (60, 170, 235), (110, 50, 25), 5, header="both"),
    PlateStyle("pakistan", "PK", 1, (2.0, 3.2), _WHITE, _BLACK, 2, header="bottom"),
)
_BY_NAME = {style.name: style for style in STYLES}
_SHARES = np.array([style.share for style in STYLES]) / sum(style.share for style in STYLES)

_DEALER_SHARE = 0.12
"""Share of the Indian plates with the dealer's name below the number."""

_CREST_SHARE = 0.08
"""Share of the one-line Indian plates with a dealer's sign or a name above the number, which has the lower part."""

_EMBLEM_SHARE = {"US": 0.45, "??": 0.15, "EU": 0.05, "IN": 0.02}
"""Share of a country's plates with a drawing between the groups: New York has one, stickers do the same elsewhere."""

_BOLTED_SHARE = 0.5
"""Of all plates."""

_SMALL_UPPER_SHARE, _SMALL_UPPER = 0.2, (0.34, 0.48)
"""Of the plates of two lines; and the share of the height that their upper line has."""

_SMALL_PRINT = (
    "INDIA", "IND", "KARNATAKA", "MAHARASHTRA", "EMPIRE STATE", "CALIFORNIA", "NEW YORK", "TEXAS", "SUNSHINE STATE",
    "BRASIL", "SAO PAULO", "RIO DE JANEIRO", "CURITIBA", "BELO HORIZONTE", "ISLAMABAD", "PUNJAB", "SINDH",
    "GOVT OF INDIA", "POLICE", "MOTORS", "AUTO CENTRE", "HONDA", "TOYOTA", "GARDEN STATE", "LAND OF LINCOLN", "DUBAI",
    "PRESS", "ARMY", "ID", "KM", "M", "AUTO INDIA", "SOLUTIONS",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character of a plate and its place."""

    character: str
    box_px: Box
    """In pixels of the plate's picture; as high as the letters without their tails."""


@dataclass(frozen=True, slots=True, eq=False)
class RenderedPlate:
    """A plate seen straight on, cut at its edges, and its text."""

    image_bgr: ImageBgr
    text: str
    lines: int
    country: str
    style: str
    glyphs: tuple[Glyph, ...] = ()
    """In the order of the text."""


def style_names() -> tuple[str, ...]:
    """All styles, in the order of `STYLES`."""
    return tuple(_BY_NAME)


def render_plate(
    rng: np.random.Generator,
    style: str | None = None,
    text: str | None = None,
    height_px: int = 96,
    fonts: Fonts = None,
) -> RenderedPlate:
    """Draw a plate of the named style, or of one drawn by its share.

    `text` overrides the random one: its lines are parted by "/", its groups by spaces ("MH 12/AB 1234").
    `fonts` are those to choose the lettering from; without them it depends on what the machine has installed.
    """
    chosen = _BY_NAME[style] if style else STYLES[rng.choice(len(STYLES), p=_SHARES)]
    words = _words(rng, chosen) if text is None else _parse(text)
    aspect = float(rng.uniform(*chosen.aspect))
    if chosen.band == "hsrp" and rng.random() < 0.4 and chosen.share > 2:
        chosen = replace(chosen, band="")
    if chosen.country == "IN" and rng.random() < _DEALER_SHARE:
        chosen = replace(chosen, header="bottom")
    elif chosen.country == "IN" and chosen.lines == 1 and rng.random() < _CREST_SHARE:
        chosen = replace(chosen, header="crest")
    canvas = _background(rng, chosen, round(height_px * aspect), height_px)
    glyphs = _print_words(rng, canvas, chosen, words, fonts)
    _add_bolts(rng, canvas)
    return RenderedPlate(canvas, words.text, len(words.lines), chosen.country, chosen.name, glyphs)


def _parse(text: str) -> PlateWords:
    return PlateWords(tuple(tuple(line.split()) for line in text.split("/")))


def _words(rng: np.random.Generator, style: PlateStyle) -> PlateWords:
    if style.country == "IN":
        return indian_words(rng, style.kind, style.lines)
    if style.country == "EU":
        return foreign_words(rng, ("DE", "FR", "IT", "NL", "RO", "GB", "RU", "DE", "GB", "??")[rng.integers(10)], 1)
    if style.country in FOREIGN_COUNTRIES and (style.country != "??" or rng.random() < 0.3):
        return foreign_words(rng, style.country, style.lines)
    return foreign_words(rng, FOREIGN_COUNTRIES[rng.integers(len(FOREIGN_COUNTRIES))], style.lines)


def _vary(rng: np.random.Generator, colour: Colour, spread: int = 22) -> Colour:
    blue, green, red = (int(np.clip(channel + rng.normal(0, spread / 2), 0, 255)) for channel in colour)
    return blue, green, red


def _background(rng: np.random.Generator, style: PlateStyle, width: int, height: int) -> ImageBgr:
    canvas = np.full((height, width, 3), _vary(rng, style.background), np.uint8)
    if style.country == "US" and rng.random() < 0.6:
        top, bottom = (np.array(_vary(rng, (200, 190, 190), 80), np.float32) for _ in range(2))
        ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        canvas[:] = (canvas * 0.5 + 0.5 * (top * (1 - ramp) + bottom * ramp)).astype(np.uint8)
    if rng.random() < 0.3:
        stains = cv2.resize(
            rng.normal(0, 1, (4, 12)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        canvas[:] = np.clip(canvas + stains[..., None] * rng.uniform(4, 18), 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        inset = int(rng.integers(0, max(2, height // 16)))
        ink = _vary(rng, style.ink)
        cv2.rectangle(canvas, (inset, inset), (width - 1 - inset, height - 1 - inset), ink, int(rng.integers(1, 4)))
    return canvas


def _paint(canvas: ImageBgr, mask: Mask, box: tuple[int, int, int, int], ink: Colour, opacity: float = 1.0) -> None:
    left, top, width, height = box
    left, top = max(left, 0), max(top, 0)
    width, height = min(width, canvas.shape[1] - left), min(height, canvas.shape[0] - top)
    if width < 2 or height < 2:
        return
    cover = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None]
    cover *= opacity / 255
    field = canvas[top : top + height, left : left + width]
    field[:] = (field * (1 - cover) + np.array(ink, np.float32) * cover).astype(np.uint8)


def _print_words(
    rng: np.random.Generator, canvas: ImageBgr, style: PlateStyle, words: PlateWords, fonts: Fonts
) -> tuple[Glyph, ...]:
    """Print the text; where each of its characters lies."""
    glyphs: list[Glyph] = []
    height, width = canvas.shape[:2]
    left = _print_band(rng, canvas, style, fonts)
    top, bottom = _print_header(rng, canvas, style, fonts)
    indian_hsrp = style.band == "hsrp"
    usual = shipped_fonts() if indian_hsrp and rng.random() < 0.7 else all_fonts()
    letterings = fonts or usual
    font = letterings[rng.integers(len(letterings))]
    ink = _vary(rng, style.ink)
    margin = int(width * rng.uniform(0.015, 0.06))
    rows = len(words.lines)
    room = _rooms(rng, bottom - top, rows)
    letter_gap = int(rng.integers(4, 16))
    between = _between(rng, style)
    fill = float(rng.uniform(0.52, 1.05)) if rows == 1 else float(rng.uniform(0.68, 1.02))
    for row, line in enumerate(words.lines):
        mask, shear = restyle(rng, draw_line(line, font, letter_gap, between))
        line_height = room[row] * fill * (rng.uniform(0.85, 1) if rows == 2 else 1)
        natural = mask.shape[1] * line_height / mask.shape[0] * rng.uniform(0.85, 1.25)
        available = width - left - 2 * margin
        line_width = min(natural, available)
        if rng.random() < 0.35:
            line_width = available * rng.uniform(0.85, 1)
        line_width = min(line_width, natural * 2)
        spare = available - line_width
        x = left + margin + spare * (0.5 if rng.random() < 0.7 else rng.uniform(0, 1))
        y = top + sum(room[:row]) + (room[row] - line_height) * rng.uniform(0.35, 0.65)
        box = (round(x), round(y), round(line_width), round(line_height))
        glyphs += _placed(glyph_spans(line, font, letter_gap, between), shear, mask, box)
        if rng.random() < 0.3:
            shadow = (box[0] + 1, box[1] + 1, box[2], box[3])
            _paint(canvas, mask, shadow, _vary(rng, (128, 128, 128), 60), 0.5)
        _paint(canvas, mask, box, ink, float(rng.uniform(0.75, 1)))
    if rng.random() < 0.15:
        box = (int(width * rng.uniform(0.2, 0.7)), height - height // 9, width // 5, height // 10)
        _small_print(rng, canvas, box, ink, fonts)
    return tuple(glyphs)


def _placed(
    spans: list[tuple[str, int, int]], shear: Affine, mask: Mask, box: tuple[int, int, int, int]
) -> Iterator[Glyph]:
    """The characters of a line whose `mask` is painted into `box`."""
    scale = np.array(box[2:]) / mask.shape[::-1]
    for character, left, right in spans:
        drawn = corners_of((left, TAIL_PX, right - left, CAP_HEIGHT_PX))
        x, y, width, height = hulls((drawn @ shear[:, :2].T + shear[:, 2]) * scale + box[:2]).tolist()
        yield Glyph(character, (x, y, width, height))


def _between(rng: np.random.Generator, style: PlateStyle) -> Mask:
    """What stands between the groups of a plate of this style."""
    if rng.random() < _EMBLEM_SHARE.get(style.country, 0.0):
        return emblem(rng)
    beside = "stop" if style.country == "IN" else "space"
    kind = ("space", "space", "space", "dash", "dot", beside)[rng.integers(6)]
    return separator(kind, int(rng.integers(14, 44)))


def _rooms(rng: np.random.Generator, height: int, rows: int) -> tuple[float, ...]:
    """The height that each line has; of two, the upper may be much the smaller."""
    if rows == 1:
        return (float(height),)
    upper = float(rng.uniform(*_SMALL_UPPER)) if rng.random() < _SMALL_UPPER_SHARE else 0.5
    return (height * upper, height * (1 - upper))


def _print_band(rng: np.random.Generator, canvas: ImageBgr, style: PlateStyle, fonts: Fonts) -> int:
    """Draw the field at the left and return the left end of the room for the text, in pixels."""
    height, width = canvas.shape[:2]
    if style.band == "eu":
        band = int(height * rng.uniform(0.35, 0.5))
        cv2.rectangle(canvas, (0, 0), (band, height), _vary(rng, _BLUE), -1)
        cv2.circle(canvas, (band // 2, height // 3), max(2, height // 7), _vary(rng, (40, 200, 230)), 2)
        _small_print(
            rng,
            canvas,
            (band // 4, int(height * 0.65), band // 2, height // 4),
            _WHITE,
            fonts,
            ("D", "F", "NL", "GB", "RO", "I"),
        )
        return band
    if style.band == "hsrp":
        band = int(width * rng.uniform(0.06, 0.1))
        unit = height / style.lines
        if rng.random() < 0.85:
            top = int(height * rng.uniform(0.08, 0.3))
            size = int(unit * rng.uniform(0.2, 0.34))
            shine = np.clip(rng.normal(150, 40, (4, 4, 3)), 0, 255).astype(np.uint8)
            patch = cv2.resize(shine, (size, size), interpolation=cv2.INTER_CUBIC)
            left = int(rng.integers(2, max(3, band - size + 4)))
            field = canvas[top : top + size, left : left + size]
            field[:] = patch[: field.shape[0], : field.shape[1]]
        top = int(height * rng.uniform(0.5, 0.72))
        _small_print(
            rng, canvas, (band // 6, top, int(band * 0.8), int(unit * rng.uniform(0.13, 0.24))), _BLUE, fonts, ("IND",)
        )
        return band
    return 0


def _print_header(rng: np.random.Generator, canvas: ImageBgr, style: PlateStyle, fonts: Fonts) -> tuple[int, int]:
    """Draw the small print and return the rows between which the text has room."""
    height, width = canvas.shape[:2]
    if style.header == "mercosul":
        band = int(height * rng.uniform(0.2, 0.27))
        cv2.rectangle(canvas, (0, 0), (width, band), _vary(rng, _BLUE), -1)
        box = (int(width * 0.38), band // 5, width // 4, int(band * 0.6))
        _small_print(rng, canvas, box, _WHITE, fonts, ("BRASIL", "ARGENTINA"))
        return band, height
    top, bottom = 0, height
    ink = _vary(rng, style.ink, 80)
    if style.header == "crest":
        top = int(height * rng.uniform(0.2, 0.42))
        span = int(width * rng.uniform(0.06, 0.25))
        red = (30, 30, 180) if rng.random() < 0.5 else ink
        left = int(rng.uniform(0.02, 0.55) * width)
        _small_print(rng, canvas, (left, int(top * 0.1), span, int(top * 0.8)), _vary(rng, red, 80), fonts)
    if style.header in ("top", "both"):
        top = int(height * rng.uniform(0.2, 0.28))
        span = int(width * rng.uniform(0.3, 0.65))
        _small_print(rng, canvas, ((width - span) // 2, int(top * 0.15), span, int(top * 0.7)), ink, fonts)
    if style.header in ("bottom", "both"):
        bottom = int(height * rng.uniform(0.74, 0.85))
        span = int(width * rng.uniform(0.3, 0.65))
        _small_print(
            rng,
            canvas,
            ((width - span) // 2, bottom + (height - bottom) // 6, span, int((height - bottom) * 0.65)),
            ink,
            fonts,
        )
    return top, bottom


def _small_print(
    rng: np.random.Generator,
    canvas: ImageBgr,
    box: tuple[int, int, int, int],
    ink: Colour,
    fonts: Fonts,
    texts: tuple[str, ...] = _SMALL_PRINT,
) -> None:
    fonts = fonts or all_fonts()
    mask = draw_line((texts[rng.integers(len(texts))],), fonts[rng.integers(len(fonts))], 8, separator("space", 20))
    _paint(canvas, mask, box, ink, float(rng.uniform(0.5, 1)))


def _add_bolts(rng: np.random.Generator, canvas: ImageBgr) -> None:
    """Screw heads, small or as large as a character: above, in the middle of both sides, or at all four corners."""
    if rng.random() > _BOLTED_SHARE:
        return
    height, width = canvas.shape[:2]
    radius = max(2, round(height * float(rng.uniform(0.035, 0.1))))
    across, down = float(rng.choice((0.03, 0.12)) + rng.uniform(0, 0.15)), float(rng.uniform(0.08, 0.3))
    rows = ((down,), (down,), (0.5,), (down, 1 - down))[rng.integers(4)]
    shade, light = (int(rng.uniform(*tones)) for tones in ((20, 190), (90, 255)))
    for y in rows:
        for x in (across, 1 - across):
            place = np.array([x * width, y * height]) + rng.normal(0, radius / 3, 2)
            for middle, size, tone in ((place, radius, shade), (place - radius / 3, radius // 3, light)):
                at = (int(middle[0]), int(middle[1]))
                cv2.circle(canvas, at, max(1, size), _vary(rng, (tone, tone, tone)), -1, cv2.LINE_AA)
