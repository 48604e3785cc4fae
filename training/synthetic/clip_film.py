"""A filmed road: several moments of each exposure are drawn and averaged, so that what moves is smeared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from edge_app.records import Corners, ImageBgr
from training.synthetic.camera import PinholeCamera, Points
from training.synthetic.camera_effects import CameraEffects
from training.synthetic.canvas import Canvas
from training.synthetic.courses import Passer
from training.synthetic.film import Street
from training.synthetic.scenery import Thing
from training.synthetic.traffic import SeenPlate, add_lamps, draw_traffic
from training.synthetic.weather import Rain, Shake, infrared, light_road, spotlight

_MOMENTS = 3
"""Moments of each exposure; the middle one fixes the places of the plates."""

_JITTER_PX = ((-0.3, 0.25), (0.0, -0.25), (0.3, 0.1))
"""The moments see the road this far apart, so that averaging them smooths every edge."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipFilm:
    """What happens in front of a camera, and what kind of camera it is."""

    kind: str
    """Of scene, see `clip_scenes.KINDS`."""
    street: Street
    passers: Sequence[Passer]
    seconds: float
    frames_per_second: int
    near_z: float
    far_z: float
    """Metres between which vehicles are drawn."""
    effects: CameraEffects
    darkness: float = 0.0
    exposure_seconds: float = 0.002
    foreground: Sequence[Thing] = ()
    """Stands between camera and road."""
    shake: Shake | None = None
    rain: Rain | None = None
    infrared_metres: float | None = None
    """How far the camera's own infrared lamp reaches; None if it has none."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.street.camera.width, self.street.camera.height

    @property
    def frames(self) -> int:
        """How many there are."""
        return round(self.seconds * self.frames_per_second)

    def shots(self, seed: int) -> Iterator[tuple[ImageBgr, list[SeenPlate]]]:
        """Every frame in order, with the plates that face the camera in it."""
        rng = np.random.default_rng(seed)
        still = Canvas(self.street.camera, image_bgr=self.street.background(self.darkness)).finish()
        before = _Foreground.of(self.street, self.foreground, self.darkness)
        lamp = spotlight(self.street.camera, self.infrared_metres) if self.infrared_metres else None
        for frame in range(self.frames):
            begins = frame / self.frames_per_second
            image_bgr, plates = self._expose(begins, still, before)
            if lamp is not None:
                image_bgr = infrared(image_bgr, lamp)
            if self.rain is not None:
                image_bgr = self.rain.fall(rng, image_bgr)
            yield self.effects.apply(rng, image_bgr), plates

    def _expose(self, at: float, still: ImageBgr, before: "_Foreground") -> tuple[ImageBgr, list[SeenPlate]]:
        total = np.zeros((self.size[1], self.size[0], 3), np.uint16)
        truth: list[SeenPlate] = []
        for moment, jitter in enumerate(_JITTER_PX):
            seconds = at + (moment / (_MOMENTS - 1) - 0.5) * self.exposure_seconds
            image_bgr, plates = self._draw(seconds, still, jitter)
            image_bgr = before.cover(image_bgr)
            moved = self.shake.at(seconds, self.size) if self.shake else np.eye(2, 3)
            if self.shake:
                image_bgr = cv2.warpAffine(image_bgr, moved, self.size, borderMode=cv2.BORDER_REFLECT_101)
            cv2.add(total, image_bgr, total, dtype=cv2.CV_16U)
            if moment == _MOMENTS // 2:
                truth = [before.hide(plate, moved) for plate in plates]
        return np.asarray((total // _MOMENTS), np.uint8), truth

    def _draw(self, seconds: float, still: ImageBgr, jitter: tuple[float, float]) -> tuple[ImageBgr, list[SeenPlate]]:
        camera, light = self.street.camera, self.street.light(self.darkness)
        found = [passer.at(seconds, self.near_z, self.far_z) for passer in self.passers]
        actors = [actor for actor in found if actor is not None]
        image_bgr = still.copy()
        if light.lamps_lit and not self.infrared_metres:
            image_bgr = light_road(image_bgr, camera, actors, self.darkness)
        canvas = Canvas(_turned(camera, jitter), 1, image_bgr)
        plates = draw_traffic(canvas, actors, light, 4.5 if self.infrared_metres else 1.0)
        add_lamps(canvas.image_bgr, canvas, actors, light)
        return canvas.image_bgr, plates


@dataclass(frozen=True, slots=True, eq=False)
class _Foreground:
    """Objects in front of the road, drawn once."""

    image_bgr: ImageBgr
    mask: np.ndarray
    """255 in the places of objects."""

    @classmethod
    def of(cls, street: Street, things: Sequence[Thing], darkness: float) -> "_Foreground":
        shape = (street.camera.height * 2, street.camera.width * 2, 3)
        key = (255, 0, 255)
        canvas = Canvas(street.camera, image_bgr=np.full(shape, key, np.uint8))
        for thing in things:
            thing.draw(canvas, street.light(darkness))
        mask = np.asarray((canvas.image_bgr != key).any(axis=2) * 255, np.uint8)
        canvas.image_bgr[mask == 0] = 0
        size = street.camera.width, street.camera.height
        return cls(canvas.finish(), np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA)))

    def cover(self, image_bgr: ImageBgr) -> ImageBgr:
        """Lay it over a picture of the road."""
        if not self.mask.any():
            return image_bgr
        left = cv2.cvtColor(255 - self.mask, cv2.COLOR_GRAY2BGR)
        return np.asarray(cv2.add(cv2.multiply(image_bgr, left, scale=1 / 255), self.image_bgr), np.uint8)

    def hide(self, plate: SeenPlate, moved: Points) -> SeenPlate:
        """The plate as it is seen behind it, its corners moved as the camera shook."""
        here = np.zeros_like(self.mask)
        cv2.fillConvexPoly(here, np.round(plate.corners_px).astype(np.int32), 255)
        whole = cv2.countNonZero(here)
        free = 1 - cv2.countNonZero(cv2.bitwise_and(here, self.mask)) / max(whole, 1)
        corners: Corners = (plate.corners_px @ moved[:, :2].T + moved[:, 2]).astype(np.float32)
        return replace(plate, corners_px=corners, visible=plate.visible * free)


def _turned(camera: PinholeCamera, by_px: tuple[float, float]) -> PinholeCamera:
    """The camera turned by so little that its picture moves by fractions of a pixel."""
    right, down, ahead = camera.axes
    ahead = ahead - (right * by_px[0] + down * by_px[1]) / camera.focal_px
    ahead = ahead / np.linalg.norm(ahead)
    right = right - ahead * (right @ ahead)
    right = right / np.linalg.norm(right)
    return replace(camera, axes=np.stack([right, np.cross(right, ahead), ahead]))
