"""The picture being drawn: larger than wanted, so that shrinking it at the end smooths every edge."""

import cv2
import numpy as np

from edge_app.records import ImageBgr
from training.synthetic.camera import NEAR_METRES, PinholeCamera, Points
from training.synthetic.light import Floats, Light
from training.synthetic.solids import Mesh

_SHIFT = 3


class Canvas:
    """Paints faces and pictures of the world as a camera sees them, each over the ones before."""

    def __init__(self, camera: PinholeCamera, scale: int = 2, image_bgr: ImageBgr | None = None) -> None:
        self.camera = camera
        self.scale = scale
        shape = (camera.height * scale, camera.width * scale, 3)
        self.image_bgr: ImageBgr = np.zeros(shape, np.uint8) if image_bgr is None else image_bgr

    def _fixed(self, pixels: Points) -> np.ndarray:
        fine = (pixels + 0.5) * self.scale - 0.5
        return np.round(np.clip(fine, -16000, 16000) * (1 << _SHIFT)).astype(np.int32)

    def polygon(self, points: Points, colour: Floats | tuple[int, ...]) -> None:
        """Fill a convex polygon (k, 3) of the world, cut off behind the camera."""
        visible = self.camera.clip(np.asarray(points, np.float64))
        if len(visible) >= 3:
            pixels, _ = self.camera.project(visible)
            cv2.fillConvexPoly(self.image_bgr, self._fixed(pixels), [float(c) for c in colour], cv2.LINE_8, _SHIFT)

    def mesh(self, mesh: Mesh, light: Light) -> None:
        """Draw the faces of a solid that face the camera, shaded."""
        pixels, depths = self.camera.project(mesh.points)
        sizes = np.diff(mesh.starts)
        middles = np.add.reduceat(mesh.points, mesh.starts[:-1]) / sizes[:, None]
        views = middles - self.camera.position
        distances = np.linalg.norm(views, axis=1)
        views /= distances[:, None]
        seen = (views * mesh.normals).sum(1) < 0
        seen &= np.minimum.reduceat(depths, mesh.starts[:-1]) > NEAR_METRES
        colours = light.shade(mesh.normals, views, mesh.colours, mesh.shine)
        if light.lamps_lit:
            colours[mesh.lamps] = 0.25 * mesh.colours[mesh.lamps] + 190
            red = mesh.lamps & (mesh.colours[:, 0] < 100)
            colours[red] = np.minimum(mesh.colours[red] * 1.5 + 30, 255)
        fixed = self._fixed(pixels)
        order = np.lexsort((-distances, mesh.layers))
        for face in order[seen[order]]:
            corners = fixed[mesh.starts[face] : mesh.starts[face + 1]]
            cv2.fillConvexPoly(self.image_bgr, corners, colours[face].tolist(), cv2.LINE_8, _SHIFT)

    def picture(self, picture_bgr: ImageBgr, corners: Points, gain: Floats | float = 1.0) -> Points | None:
        """Lay a flat picture on the quadrilateral (4, 3), clockwise from its top left as seen from before it.

        Returns its corners in pixels of the final picture, or None if it is not seen.
        """
        pixels, depths = self.camera.project(corners)
        if depths.min() < NEAR_METRES or cv2.contourArea(pixels.astype(np.float32), oriented=True) <= 0:
            return None
        self.flat_picture(picture_bgr, pixels, gain)
        return pixels

    def flat_picture(self, picture_bgr: ImageBgr, pixels: Points, gain: Floats | float = 1.0) -> None:
        """Lay a picture on a quadrilateral (4, 2) given in pixels of the final picture."""
        fine = ((pixels + 0.5) * self.scale - 0.5).astype(np.float32)
        height, width = self.image_bgr.shape[:2]
        left, top = np.clip(np.floor(fine.min(0)).astype(int) - 1, 0, (width, height))
        right, bottom = np.clip(np.ceil(fine.max(0)).astype(int) + 2, 0, (width, height))
        if right - left < 1 or bottom - top < 1:
            return
        source = _shrink(picture_bgr, fine)
        rows, columns = source.shape[:2]
        edges = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32) - 0.5
        warp = cv2.getPerspectiveTransform(edges, fine - np.array([left, top], np.float32))
        size = (int(right - left), int(bottom - top))
        lit = np.clip(source * np.asarray(gain), 0, 255).astype(np.uint8)
        drawn = cv2.warpPerspective(lit, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cover = np.zeros(size[::-1], np.uint8)
        local = np.round((fine - [left, top]) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(cover, local, 255, cv2.LINE_8, _SHIFT)
        cv2.copyTo(drawn, cover, self.image_bgr[top:bottom, left:right])

    def modulate(self, shade: np.ndarray, unit: int = 255) -> None:
        """Multiply the picture by a mask of any size, `unit` in places that stay unchanged."""
        height, width = self.image_bgr.shape[:2]
        wide = cv2.cvtColor(cv2.resize(shade, (width, height)), cv2.COLOR_GRAY2BGR)
        cv2.multiply(self.image_bgr, wide, self.image_bgr, 1 / unit)

    def finish(self) -> ImageBgr:
        """The picture at the camera's own size."""
        size = (self.camera.width, self.camera.height)
        return np.asarray(cv2.resize(self.image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def _shrink(picture_bgr: ImageBgr, corners: np.ndarray) -> ImageBgr:
    """Average a picture down to about the size it is drawn at, so that no line is skipped."""
    sides = np.linalg.norm(corners - np.roll(corners, -1, 0), axis=1)
    width, height = max(sides[0], sides[2]), max(sides[1], sides[3])
    factor = max(picture_bgr.shape[1] / max(width, 1), 1.0), max(picture_bgr.shape[0] / max(height, 1), 1.0)
    size = max(1, round(picture_bgr.shape[1] / factor[0])), max(1, round(picture_bgr.shape[0] / factor[1]))
    if size == (picture_bgr.shape[1], picture_bgr.shape[0]):
        return picture_bgr
    return np.asarray(cv2.resize(picture_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
