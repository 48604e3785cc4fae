"""Roads with vehicles, as a detector would see their plates: random scenes for the tracker, with known truth.

What a scene is. A camera looks down a road from 4 to 6 m above it, at 8 to 30 frames a second, and sees plates of
0.5 m from 30 m away until 7 m away. Up to six vehicles come or go in up to three lanes 3 m apart, so that they meet,
overtake and drive side by side; in one lane they keep a second's distance, standing 4 m from plate to plate. They
drive at 15 to 100 km/h, and those below 30 may brake to a stand, wait, and go on. The detector finds corners within 5 %
of the plate's width (2 % mostly) and misses one plate in ten by chance; every other vehicle is hidden once for half of
the tracker's `lost_seconds`, though for no more than 8 m, not in its first three frames nor its first 0.3 seconds. Up
to one frame in twenty shows a plate where there is none, three widths off any. In a second kind of scene plates cross
the picture on straight lines in any direction, at up to 15 plate widths a second, and where two of them meet, the one
farther away is hidden.

What it is not. No vehicle jumps between frames (below 15 frames a second none is faster than 50 km/h), none swerves,
no two plates overlap in one frame, and none comes into the picture at the very place and time where another leaves it.
No plate is missed for longer than half of `lost_seconds`, whatever the reasons. Plates that come within a width of
each other differ in size by 15 % or more: one vehicle is behind the other, not in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_app.records import Corners

LOST_SECONDS = 1.0
LONGEST_MISSED_SECONDS = LOST_SECONDS / 2
FOCAL_PX = 1600.0
PLATE_M = (0.5, 0.12)
NEAR_M, FAR_M = 7.0, 30.0
LANE_M, GAP_M, HIDDEN_M = 3.0, 4.0, 8.0
LEAST_RATIO = 1.15

Floats = NDArray[np.float64]
Path = Mapping[int, Floats]
"""Corners of a plate by frame, in the frames in which it is in view."""


@dataclass(frozen=True)
class Scene:
    """What the detector finds, frame by frame."""

    frames_per_second: float
    frames: Sequence[Sequence[tuple[int | None, Corners]]]
    """For each frame the plates found, in any order, each with its vehicle; None for what is no plate."""


@dataclass(frozen=True)
class Detector:
    """How a detector errs."""

    seed: int
    stray_share: float
    """Of the frames, with a find where no plate is."""


@dataclass(frozen=True)
class Lane:
    """Vehicles one behind the other."""

    offset_m: float
    is_coming: bool
    metres_per_second: float
    stop: tuple[float, float] | None
    """Where the first one stops, in metres from the camera, and for how many seconds."""
    begin_seconds: float
    headway_seconds: float
    vehicles: int


@dataclass(frozen=True)
class Road:
    """A camera above a road."""

    frames_per_second: float
    height_m: float
    lanes: tuple[Lane, ...]
    detector: Detector

    def scene(self) -> Scene | None:
        """What is found; None if a plate is missed for too long."""
        times = np.arange(0.0, 12.0, 1 / self.frames_per_second)
        paths, hidden_seconds = [], []
        for lane in self.lanes:
            speed = lane.metres_per_second
            for follower in range(lane.vehicles):
                stop = lane.stop and (lane.stop[0] + GAP_M * follower, lane.stop[1])
                begin = lane.begin_seconds + follower * (lane.headway_seconds + GAP_M / speed)
                away_m = _distances(times - begin, speed, stop)
                hidden_seconds.append(min(LONGEST_MISSED_SECONDS, HIDDEN_M / speed))
                coming_m = away_m if lane.is_coming else NEAR_M + FAR_M - away_m
                paths.append(_seen_from(self.height_m, lane.offset_m, coming_m))
        return _detected(self.detector, self.frames_per_second, paths, hidden_seconds)


@dataclass(frozen=True)
class Way:
    """Of a plate that crosses the picture on a straight line."""

    angle: float
    """Of its heading, in radians from the x axis."""
    width_px: float
    widths_per_second: float
    place_px: tuple[float, float]
    """Where it is at `seconds`."""
    seconds: float

    def centres(self, times: Floats) -> Floats:
        """Where it is at each time."""
        heading = np.array([np.cos(self.angle), np.sin(self.angle)])
        moved_px = self.width_px * self.widths_per_second * (times - self.seconds)
        return np.asarray(np.array(self.place_px) + moved_px[:, None] * heading)


@dataclass(frozen=True)
class Crossing:
    """Plates that cross the picture in any direction."""

    frames_per_second: float
    ways: tuple[Way, ...]
    detector: Detector

    def scene(self) -> Scene | None:
        """What is found; None if a plate is missed for too long, comes in upon another, or runs into another."""
        times = np.arange(0.0, 4.0, 1 / self.frames_per_second)
        unit = np.array([[-0.5, -0.12], [0.5, -0.12], [0.5, 0.12], [-0.5, 0.12]])
        ways = sorted(self.ways, key=lambda way: way.width_px, reverse=True)
        centres = [way.centres(times) for way in ways]
        inside = [np.flatnonzero(((each > 0) & (each < [1920, 1080])).all(axis=1)) for each in centres]
        for one, other in permutations(range(len(ways)), 2):
            for frame in inside[one][:1]:
                if np.hypot(*(centres[one][frame] - centres[other][frame])) <= 3 * 120.0:
                    return None
        for near, far in combinations(range(len(ways)), 2):
            apart = np.hypot(*(centres[near] - centres[far])[np.intersect1d(inside[near], inside[far])].T)
            is_met = apart.min(initial=np.inf) < ways[near].width_px
            if is_met and ways[near].width_px < LEAST_RATIO * ways[far].width_px:
                return None
        paths = [
            {int(frame): each[frame] + way.width_px * unit for frame in frames}
            for way, each, frames in zip(ways, centres, inside, strict=True)
        ]
        return _detected(self.detector, self.frames_per_second, paths, [LONGEST_MISSED_SECONDS] * len(paths))


def detectors() -> st.SearchStrategy[Detector]:
    """Detectors, every other one with finds where no plate is."""
    return st.builds(Detector, st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05]))


@st.composite
def roads(draw: st.DrawFn) -> Road:
    """Vehicles on a road."""
    frames_per_second = draw(st.sampled_from([8.0, 10.0, 15.0, 25.0, 30.0]))
    lanes = []
    for lane in range(draw(st.integers(1, 3))):
        fastest = 50.0 if frames_per_second < 15 else 100.0
        speed = draw(st.floats(15.0, fastest)) / 3.6
        stop = draw(st.none() | st.tuples(st.floats(NEAR_M, 15.0), st.floats(0.0, 3.0)))
        lanes.append(
            Lane(
                offset_m=(lane - 1) * LANE_M + draw(st.floats(-0.3, 0.3)),
                is_coming=draw(st.booleans()),
                metres_per_second=speed if stop is None else min(speed, 7.5),
                stop=stop,
                begin_seconds=draw(st.floats(0.0, 2.0)),
                headway_seconds=draw(st.floats(1.0, 3.0)),
                vehicles=draw(st.integers(1, 2)),
            )
        )
    return Road(frames_per_second, draw(st.floats(4.0, 6.0)), tuple(lanes), draw(detectors()))


@st.composite
def crossings(draw: st.DrawFn) -> Crossing:
    """Plates on straight lines through the picture."""
    frames_per_second = draw(st.sampled_from([10.0, 15.0, 25.0]))
    way = st.builds(
        Way,
        angle=st.floats(0.0, 2 * np.pi),
        width_px=st.floats(60.0, 120.0),
        widths_per_second=st.floats(2.0, min(15.0, 1.2 * frames_per_second)),
        place_px=st.tuples(st.floats(500, 1400), st.floats(300, 800)),
        seconds=st.floats(1.0, 3.0),
    )
    ways = draw(st.lists(way, min_size=2, max_size=4))
    return Crossing(frames_per_second, tuple(ways), draw(detectors()))


def _distances(elapsed: Floats, speed: float, stop: tuple[float, float] | None) -> Floats:
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


def _seen_from(height_m: float, offset_m: float, away_m: Floats) -> Path:
    """Corners in the picture of a plate whose centre is at a height of 0.5 m, in the frames in which it is in view."""
    across, up = PLATE_M[0] / 2, PLATE_M[1] / 2
    points = np.array([[-across, -up], [across, -up], [across, up], [-across, up]])
    points += [offset_m, height_m - 0.5]
    seen = np.flatnonzero((away_m >= NEAR_M) & (away_m <= FAR_M))
    return {int(frame): 960 + FOCAL_PX * points / away_m[frame] for frame in seen}


def _detected(
    detector: Detector, frames_per_second: float, paths: Sequence[Path], hidden_seconds: Sequence[float]
) -> Scene | None:
    """What a detector finds of plates, the nearer ones first; None if it misses one for too long."""
    rng = np.random.default_rng(detector.seed)
    last = max((frame for path in paths for frame in path), default=0)
    most_missed = int(LONGEST_MISSED_SECONDS * frames_per_second)
    hidden = [
        _missed(path, frames_per_second, seconds, rng) for path, seconds in zip(paths, hidden_seconds, strict=True)
    ]
    missed = [0] * len(paths)
    frames = []
    for frame in range(last + 1):
        there = [(index, path[frame]) for index, path in enumerate(paths) if frame in path]
        found: list[tuple[int | None, Corners]] = []
        for index, corners in there:
            covered = any(_touch(corners, other) for before, other in there if before < index)
            missed[index] += 1
            if covered and missed[index] > most_missed:
                return None
            if not covered and (frame not in hidden[index] or missed[index] > most_missed):
                noise = rng.normal(0, 0.02, (4, 2)).clip(-0.05, 0.05) * np.ptp(corners[:, 0])
                found.append((index, (corners + noise).astype(np.float32)))
                missed[index] = 0
        stray = _stray(rng)
        if rng.random() < detector.stray_share and not any(_near(stray, corners) for _, corners in there):
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


def _touch(first: Floats, second: Floats) -> bool:
    """Whether the hulls of two plates meet."""
    apart = np.maximum(first.min(axis=0) - second.max(axis=0), second.min(axis=0) - first.max(axis=0))
    return bool((apart < 0).all())


def _near(stray: Corners, corners: Floats) -> bool:
    """Whether what is no plate is within three widths of a plate."""
    apart = np.hypot(*(stray.mean(axis=0) - corners.mean(axis=0)))
    return bool(apart < 3 * max(float(np.ptp(stray[:, 0])), float(np.ptp(corners[:, 0]))))


def _stray(rng: np.random.Generator) -> Corners:
    """A sign, a lamp, a piece of text."""
    left, top, width = rng.uniform(0, 1920), rng.uniform(0, 1080), rng.uniform(25, 200)
    unit = np.array([[0, 0], [1, 0], [1, 0.24], [0, 0.24]])
    return np.asarray(unit * width + [left, top], np.float32)
