"""Picks vehicles, letters them and screws plates on."""

import numpy as np

from edge_app.records import ImageBgr
from training.synthetic.camera import Points
from training.synthetic.cars import SHAPES, car
from training.synthetic.other_vehicles import bus, lorry
from training.synthetic.plates import RenderedPlate, render_plate
from training.synthetic.small_vehicles import motorcycle, rickshaw
from training.synthetic.solids import Colour
from training.synthetic.textures import lettered
from training.synthetic.vehicles import Mount, Picture, Vehicle

_OTHERS = {"bus": bus, "lorry": lorry, "rickshaw": rickshaw, "motorcycle": motorcycle}
_SHARES = {"car": 0.62, "motorcycle": 0.14, "rickshaw": 0.09, "lorry": 0.1, "bus": 0.05}
_ONE_LINE = {
    "hsrp": 16, "white": 16, "commercial": 6, "electric": 3, "rental": 1.5, "trade": 1, "temporary": 1, "bharat": 3,
    "euro": 8, "euro_yellow": 3, "plain": 5, "plain_dark": 2, "plain_blue": 1, "brazil": 7, "mercosul": 3,
    "american": 6, "american_yellow": 3, "pakistan": 2,
}  # fmt: skip
_TWO_LINES = {
    "hsrp_two": 10, "white_two": 12, "commercial_two": 6, "electric_two": 2, "rental_two": 1, "trade_two": 1,
    "bharat_two": 1, "plain_two": 2,
}  # fmt: skip


def build_vehicle(rng: np.random.Generator, kind: str | None = None, paint: Colour | None = None) -> Vehicle:
    """A vehicle of a kind (car shapes included) or of one drawn by its share, with random lettering."""
    if kind is None:
        kind = str(rng.choice(list(_SHARES), p=list(_SHARES.values())))
    build = _OTHERS.get(kind)
    vehicle = build(rng, paint) if build else car(rng, kind if kind in SHAPES else None, paint)
    return vehicle.with_pictures(_lettering(rng, vehicle))


def random_plate(rng: np.random.Generator, mount: Mount, height_px: int = 96) -> RenderedPlate:
    """A plate that suits a mount, now and then of the other layout."""
    two = mount.two_lines if rng.random() < 0.9 else not mount.two_lines
    shares = _TWO_LINES if two else _ONE_LINE
    weights = np.array(list(shares.values()), np.float64)
    style = str(rng.choice(list(shares), p=weights / weights.sum()))
    return render_plate(rng, style, height_px=height_px)


def _lettering(rng: np.random.Generator, vehicle: Vehicle) -> list[Picture]:
    """Stickers and slogans that are no plates."""
    width, height, length = vehicle.size
    pictures = []
    if vehicle.kind == "lorry" and rng.random() < 0.8:
        pictures.append(_on_end(_slogan(rng), (0.0, min(1.4, height * 0.55)), width * 0.7, -length / 2 - 0.03))
    if vehicle.kind == "bus":
        board = lettered(rng, 2, (40, 170, 255), (25, 25, 25))
        pictures.append(_on_end(board, (0.0, height - 0.35), width * 0.5, length / 2 + 0.03))
        if rng.random() < 0.6:
            pictures.append(_on_end(_slogan(rng), (0.0, height - 0.5), width * 0.6, -length / 2 - 0.03))
    if vehicle.kind in SHAPES and rng.random() < 0.4:
        x, y = float(rng.uniform(-0.4, 0.4)) * width, vehicle.mounts[1].centre[1] + float(rng.choice((-0.22, 0.26)))
        pictures.append(_on_end(_slogan(rng, 2), (x, y), float(rng.uniform(0.15, 0.4)), -length / 2 - 0.02))
    if vehicle.kind == "rickshaw" and rng.random() < 0.6:
        pictures.append(_on_end(_slogan(rng), (0.0, 1.02), 0.7, -length / 2 - 0.02))
    return pictures


def _slogan(rng: np.random.Generator, words: int = 3) -> ImageBgr:
    papers: tuple[Colour, ...] = ((235, 235, 235), (30, 200, 240), (40, 40, 200), (60, 120, 40), (40, 40, 40))
    paper = papers[rng.integers(len(papers))]
    ink = (25, 25, 25) if sum(paper) > 420 else (235, 235, 235)
    return lettered(rng, int(rng.integers(1, words + 1)), ink, paper)


def _on_end(image_bgr: ImageBgr, at: tuple[float, float], width: float, z: float) -> Picture:
    half, rise = width / 2, width * image_bgr.shape[0] / image_bgr.shape[1] / 2
    side = 1.0 if z < 0 else -1.0
    corners: Points = np.array([[-half, rise], [half, rise], [half, -rise], [-half, -rise]]) * [side, 1.0] + at
    return Picture(image_bgr, np.column_stack([corners, np.full(4, z)]))
