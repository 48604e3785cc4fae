"""Objects beside a road: houses, trees, poles, boards and walls."""

from dataclasses import dataclass

import cv2
import numpy as np

from edge_app.records import ImageBgr
from training.synthetic.canvas import Canvas
from training.synthetic.light import Light
from training.synthetic.road import RoadStyle
from training.synthetic.solids import Colour
from training.synthetic.textures import facade, lettered


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A trunk under a crown of leaves."""

    x: float
    z: float
    height: float
    tint: Colour
    leaves: np.ndarray
    """(n, 4): x, y, z and radius of clumps, as shares of the height; fixed, so that it is the same in every frame."""

    def draw(self, canvas: Canvas, light: Light) -> None:
        """Paint trunk and crown."""
        lit = light.diffuse(np.array([[0.0, 0.5, -0.85]]))[0]
        trunk = np.array([[-0.03, 0, 0], [0.03, 0, 0], [0.02, 0.6, 0], [-0.02, 0.6, 0]]) * self.height
        canvas.polygon(np.add(trunk, (self.x, 0, self.z)), np.array([45, 60, 75]) * lit)
        centres = self.leaves[:, :3] * self.height + [self.x, 0, self.z]
        pixels, depths = canvas.camera.project(centres)
        order = np.argsort(self.leaves[:, 1])
        for k in order[depths[order] > 1]:
            radius = self.leaves[k, 3] * self.height * canvas.camera.focal_px / depths[k] * canvas.scale
            colour = np.array(self.tint) * lit * (0.55 + 0.6 * self.leaves[k, 1])
            centre = [int(value) for value in np.clip(pixels[k] * canvas.scale, -9999, 9999)]
            cv2.circle(canvas.image_bgr, centre, max(1, int(radius)), colour.tolist(), -1)

    @classmethod
    def random(cls, rng: np.random.Generator, x: float, z: float) -> "Tree":
        """A tree of any size and green."""
        directions = rng.normal(0, 1, (130, 3))
        directions *= rng.uniform(0.3, 1, (130, 1)) / np.linalg.norm(directions, axis=1, keepdims=True)
        spread = rng.uniform(0.2, 0.32), rng.uniform(0.18, 0.28), 0.25
        leaves = np.column_stack([directions * spread + [0, 0.7, 0], rng.uniform(0.025, 0.075, 130)])
        tint = (int(rng.integers(25, 60)), int(rng.integers(85, 135)), int(rng.integers(50, 100)))
        return cls(x, z, float(rng.uniform(4, 9)), tint, leaves)


@dataclass(frozen=True, slots=True, eq=False)
class House:
    """A block beside the road: one wall to the road, one to the camera."""

    x: float
    """Of the wall at the road."""
    z: float
    depth: float
    width: float
    height: float
    road_side: ImageBgr
    near_side: ImageBgr

    def draw(self, canvas: Canvas, light: Light) -> None:
        """Paint the two walls that can be seen."""
        out = 1.0 if self.x > 0 else -1.0
        back, front = self.z + self.depth, self.z
        far_x = self.x + out * self.width
        left, right = sorted((self.x, far_x))
        near = np.array([[left, self.height, front], [right, self.height, front], [right, 0, front], [left, 0, front]])
        canvas.picture(self.near_side, near, light.diffuse(np.array([[0.0, 0.0, -1.0]]))[0])
        first, last = (front, back) if out < 0 else (back, front)
        side = np.array(
            [[self.x, self.height, first], [self.x, self.height, last], [self.x, 0, last], [self.x, 0, first]]
        )
        canvas.picture(self.road_side, side, light.diffuse(np.array([[-out, 0.0, 0.0]]))[0])


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """A flat picture that faces the camera, on a post or alone."""

    x: float
    y: float
    z: float
    width: float
    picture_bgr: ImageBgr
    post: bool = True

    def draw(self, canvas: Canvas, light: Light) -> None:
        """Paint post and board."""
        lit = light.diffuse(np.array([[0.0, 0.2, -0.97]]))[0]
        height = self.width * self.picture_bgr.shape[0] / self.picture_bgr.shape[1]
        if self.post:
            post = np.array([[-0.04, 0, 0.01], [0.04, 0, 0.01], [0.04, self.y, 0.01], [-0.04, self.y, 0.01]])
            canvas.polygon(np.add(post, (self.x, 0, self.z)), np.array([130, 130, 130]) * lit)
        half = self.width / 2
        flat = np.array([[-half, height, 0], [half, height, 0], [half, 0, 0], [-half, 0, 0]])
        canvas.picture(self.picture_bgr, np.add(flat, (self.x, self.y, self.z)), lit)


@dataclass(frozen=True, slots=True, eq=False)
class LampPost:
    """A street lamp that leans over the road."""

    x: float
    z: float

    @property
    def lamp(self) -> tuple[float, float, float]:
        """The place that it lights."""
        return self.x - np.sign(self.x) * 1.5, 6.5, self.z

    def draw(self, canvas: Canvas, light: Light) -> None:
        """Paint post and arm."""
        colour = np.array([105, 108, 110]) * light.diffuse(np.array([[0.0, 0.0, -1.0]]))[0]
        lamp = np.array(self.lamp)
        post = np.array([[-0.07, 0, 0], [0.07, 0, 0], [0.05, 6.6, 0], [-0.05, 6.6, 0]])
        arm = np.array([[self.x, 6.5, self.z], [self.x, 6.6, self.z], np.add(lamp, (0, 0.12, 0)), lamp])
        canvas.polygon(np.add(post, (self.x, 0, self.z)), colour)
        canvas.polygon(arm, colour)


Thing = Tree | House | Board | LampPost


def random_scenery(rng: np.random.Generator, road: RoadStyle, darkness: float, near: float, amount: int) -> list[Thing]:
    """So many things at both sides of a road, from `near` metres on, the farthest first."""
    things: list[Thing] = []
    edge = road.half_width + road.pavement
    for _ in range(amount):
        side = float(rng.choice((-1, 1)))
        z = near + float(rng.exponential(25))
        x = road.centre + side * (edge + float(rng.uniform(0.3, 6)))
        draw = rng.random()
        if draw < 0.35:
            things.append(Tree.random(rng, x, z))
        elif draw < 0.65:
            depth, height, width = rng.uniform(6, 18), rng.uniform(4, 14), rng.uniform(6, 14)
            walls = facade(rng, depth, height, darkness), facade(rng, width, height, darkness)
            things.append(House(x + side * 3, z, depth, width, height, *walls))
        elif draw < 0.72:
            things.append(LampPost(road.centre + side * (road.half_width + 0.5), z))
        else:
            things.append(random_board(rng, x, z))
    return sorted(things, key=lambda thing: -thing.z)


def random_board(rng: np.random.Generator, x: float, z: float) -> Board:
    """A road sign, a shop's board or a poster: writing that is no plate."""
    paper = ((235, 235, 235), (30, 200, 240), (90, 130, 20), (150, 70, 20), (30, 30, 190), (40, 40, 40))[
        rng.integers(6)
    ]
    ink = (20, 20, 20) if sum(paper) > 450 else (240, 240, 240)
    lines = [lettered(rng, int(rng.integers(1, 3)), ink, paper) for _ in range(int(rng.integers(1, 4)))]
    wide = max(line.shape[1] for line in lines)
    rows = [
        cv2.copyMakeBorder(
            line,
            0,
            0,
            (wide - line.shape[1]) // 2,
            wide - line.shape[1] - (wide - line.shape[1]) // 2,
            cv2.BORDER_CONSTANT,
            value=paper,
        )
        for line in lines
    ]
    return Board(
        x, float(rng.uniform(0.3, 3.5)), z, float(rng.uniform(0.5, 2.5)), np.vstack(rows), bool(rng.random() < 0.7)
    )
