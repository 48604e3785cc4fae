"""Roads with vehicles, as a detector would see their plates: random scenes for the tracker, with known truth.

What a scene is. A camera looks down a road from 4 to 6 m above it, at 8 to 30 frames a second, and sees plates of
0.5 m from 30 m away until 7 m away. Up to six vehicles come or go in up to three lanes 3 m apart, so that they meet,
overtake and drive side by side; in one lane they keep a second's distance, standing 4 m from plate to plate. They
drive at 15 to 100 km/h, and those below 30 may brake to a stand, wait, and go on. The detector finds corners within 5 %
of the plate's width (2 % mostly) and misses one plate in ten by chance; every other vehicle is hidden once for half of
the tracker's `lost_seconds`, though for no more than 8 m, not in its first three sights nor its first 0.3 seconds. Up
to one frame in twenty shows a plate where there is none, three widths off any. In a second kind of scene plates cross
the picture on straight lines in any direction, at up to 15 plate widths a second, and where two of them meet, the one
behind is hidden.

What it is not. No vehicle jumps between frames (below 15 frames a second none is faster than 50 km/h), none swerves,
no two plates overlap in one frame, and none comes into the picture at the very place and time where another leaves it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_app.records import Corners

LOST_SECONDS = 1.0
FOCAL_PX = 1600.0
PLATE_M = (0.5, 0.12)
NEAR_M, FAR_M = 7.0, 30.0
LANE_M, GAP_M, HIDDEN_M = 3.0, 4.0, 8.0

Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """What the detector finds, frame by frame."""

    frames_per_second: float
    frames: Sequence[Sequence[tuple[int | None, Corners]]] = field(repr=False)
    """For each frame the plates found, in any order, each with its vehicle; None for what is no plate."""


@st.composite
def road_scenes(draw: st.DrawFn) -> Scene:
    """Vehicles on a road."""
    frames_per_second = draw(st.sampled_from([8.0, 10.0, 15.0, 25.0, 30.0]))
    height_m = draw(st.floats(4.0, 6.0))
    drives = []
    for lane in range(draw(st.integers(1, 3))):
        is_coming = draw(st.booleans())
        fastest = 50.0 if frames_per_second < 15 else 100.0
        speed = draw(st.floats(15.0, fastest)) / 3.6
        stop = draw(st.none() | st.tuples(st.floats(NEAR_M, 15.0), st.floats(0.0, 3.0)))
        if stop is not None:
            speed = min(speed, 7.5)
        headway = draw(st.floats(1.0, 3.0))
        begin = draw(st.floats(0.0, 2.0))
        offset_m = (lane - 1) * LANE_M + draw(st.floats(-0.3, 0.3))
        for follower in range(draw(st.integers(1, 2))):
            behind = stop and (stop[0] + GAP_M * follower, stop[1])
            drives.append((offset_m, is_coming, speed, behind, begin + follower * (headway + GAP_M / speed)))
    times = np.arange(0.0, 12.0, 1 / frames_per_second)
    paths, hidden_seconds = [], []
    for offset_m, is_coming, speed, stop, begin in drives:
        away_m = _distances(times - begin, speed, stop)
        hidden_seconds.append(min(LOST_SECONDS / 2, HIDDEN_M / speed))
        paths.append(_seen_from(height_m, offset_m, away_m if is_coming else NEAR_M + FAR_M - away_m))
    return _detected(draw, frames_per_second, paths, hidden_seconds)


@st.composite
def crossing_scenes(draw: st.DrawFn) -> Scene:
    """Plates on straight lines through the picture."""
    frames_per_second = draw(st.sampled_from([10.0, 15.0, 25.0]))
    times = np.arange(0.0, 4.0, 1 / frames_per_second)
    paths, ways = [], []
    for _ in range(draw(st.integers(2, 4))):
        angle, width = draw(st.floats(0.0, 2 * np.pi)), draw(st.floats(60.0, 120.0))
        speed = width * draw(st.floats(2.0, min(15.0, 1.2 * frames_per_second)))
        meeting = np.array([draw(st.floats(500, 1400)), draw(st.floats(300, 800))])
        heading = np.array([np.cos(angle), np.sin(angle)])
        centres = meeting + speed * (times - draw(st.floats(1.0, 3.0)))[:, None] * heading
        unit = np.array([[-0.5, -0.12], [0.5, -0.12], [0.5, 0.12], [-0.5, 0.12]])
        corners = centres[:, None] + width * unit
        ways.append(centres)
        inside = ((centres > 0) & (centres < [1920, 1080])).all(axis=1)
        paths.append({int(frame): corners[frame] for frame in np.flatnonzero(inside)})
    for index, path in enumerate(paths):
        for way in ways[:index] + ways[index + 1 :]:
            if path:
                assume(float(np.hypot(*(ways[index][min(path)] - way[min(path)]))) > 3 * 120.0)
    return _detected(draw, frames_per_second, paths, [LOST_SECONDS / 2] * len(paths))


def _distances(elapsed: Seconds, speed: float, stop: tuple[float, float] | None) -> Seconds:
    """Metres from the camera of a vehicle that comes; one that stops brakes and starts at 3 m/s²."""
    if stop is None:
        return np.asarray(FAR_M - speed * elapsed)
    stand_m, wait = stop
    braking = speed / 3.0
    brake_at = (FAR_M - stand_m) / speed - braking / 2
    phase = np.clip(elapsed - brake_at, 0, braking)
    again = np.clip(elapsed - brake_at - braking - wait, 0, braking)
    after = np.clip(elapsed - brake_at - 2 * braking - wait, 0, None)
    driven = speed * np.minimum(elapsed, brake_at) + speed * phase - 1.5 * phase**2 + 1.5 * again**2 + speed * after
    return np.asarray(FAR_M - driven)


def _seen_from(height_m: float, offset_m: float, away_m: Seconds) -> dict[int, NDArray[np.float64]]:
    """Corners in the picture of a plate whose centre is at a height of 0.5 m, in the frames in which it is in view."""
    across, up = PLATE_M[0] / 2, PLATE_M[1] / 2
    points = np.array([[-across, -up], [across, -up], [across, up], [-across, up]])
    points += [offset_m, height_m - 0.5]
    seen = np.flatnonzero((away_m >= NEAR_M) & (away_m <= FAR_M))
    return {int(frame): 960 + FOCAL_PX * points / away_m[frame] for frame in seen}


def _detected(
    draw: st.DrawFn,
    frames_per_second: float,
    paths: list[dict[int, NDArray[np.float64]]],
    hidden_seconds: list[float],
) -> Scene:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    stray_share = draw(st.sampled_from([0.0, 0.05]))
    last = max((frame for path in paths for frame in path), default=0)
    hidden = [
        _missed(path, frames_per_second, seconds, rng) for path, seconds in zip(paths, hidden_seconds, strict=True)
    ]
    frames = []
    for frame in range(last + 1):
        there = [(index, path[frame]) for index, path in enumerate(paths) if frame in path]
        found: list[tuple[int | None, Corners]] = []
        for index, corners in there:
            covered = any(_touch(corners, other) for before, other in there if before < index)
            if frame not in hidden[index] and not covered:
                noise = rng.normal(0, 0.02, (4, 2)).clip(-0.05, 0.05) * np.ptp(corners[:, 0])
                found.append((index, (corners + noise).astype(np.float32)))
        stray = _stray(rng)
        if rng.random() < stray_share and not any(_near(stray, corners) for _, corners in there):
            found.append((None, stray))
        frames.append([found[place] for place in rng.permutation(len(found))])
    return Scene(frames_per_second, frames)


def _missed(
    path: Mapping[int, object], frames_per_second: float, hidden_seconds: float, rng: np.random.Generator
) -> set[int]:
    """Frames in which a plate in view is not found."""
    seen = sorted(path)[max(3, round(0.3 * frames_per_second)) :]
    missed = {frame for frame in seen if rng.random() < 0.1}
    if seen and rng.random() < 0.5:
        begin, length = int(rng.choice(seen)), int(hidden_seconds * frames_per_second)
        missed |= set(range(begin, begin + length))
    return missed


def _touch(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether the hulls of two plates meet."""
    apart = np.maximum(first.min(axis=0) - second.max(axis=0), second.min(axis=0) - first.max(axis=0))
    return bool((apart < 0).all())


def _near(stray: Corners, corners: NDArray[np.float64]) -> bool:
    """Whether what is no plate is within three widths of a plate."""
    apart = np.hypot(*(stray.mean(axis=0) - corners.mean(axis=0)))
    return bool(apart < 3 * max(float(np.ptp(stray[:, 0])), float(np.ptp(corners[:, 0]))))


def _stray(rng: np.random.Generator) -> Corners:
    """A sign, a lamp, a piece of text."""
    left, top, width = rng.uniform(0, 1920), rng.uniform(0, 1080), rng.uniform(25, 200)
    unit = np.array([[0, 0], [1, 0], [1, 0.24], [0, 0.24]])
    return np.asarray(unit * width + [left, top], np.float32)
