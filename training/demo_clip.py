"""Renders the clip that `edge-anpr demo` plays, and the truth about it, entirely from our own drawing.

`python -m training.demo_clip --out edge_app/demo` writes clip.mp4 and events.jsonl (docs/clips.md).
"""

import argparse
import json
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import numpy as np

from edge_app.demo import CLIP
from edge_app.evaluation.clips.truth import EVENTS_FILE
from edge_app.records import ImageBgr
from training.synthetic.camera import PinholeCamera
from training.synthetic.camera_effects import CameraEffects
from training.synthetic.film import Film, Player, Role, Shot, Street
from training.synthetic.road import RoadStyle
from training.synthetic.scenery import Board, House, LampPost, Thing, Tree
from training.synthetic.textures import facade, lettered
from training.synthetic.video import write_video

FRAMES_PER_SECOND = 15
SEED = 20260131
_SIZE = (1280, 720)
_CODING = ("-preset", "slow", "-crf", "22", "-maxrate", "1050k", "-bufsize", "3000k")
_SEEN_SHARE, _SEEN_WIDTH_PX = 0.9, 36.0
_WHITE, _SILVER, _GRAY, _BLACK = (236, 236, 234), (188, 190, 192), (120, 122, 124), (45, 44, 44)
_RED, _BLUE, _ORANGE, _GREEN, _CREAM = (30, 28, 150), (130, 60, 25), (30, 105, 215), (60, 90, 50), (160, 190, 205)

_ROLES = (
    Role("suv", _SILVER, "hsrp", "MH 12 AB 1234", -1.6, False, 1.6, 6.0, 4),
    Role("hatchback", _WHITE, "hsrp", "KA 01 MN 4567", 1.6, True, 3.2, 6.0, 4),
    Role("motorcycle", _RED, "white_two", "TN 09/BC 2718", -0.7, False, 4.6, 3.6, 5),
    Role("hatchback", _ORANGE, "hsrp", "GJ 05 RK 8146", -2.05, False, 4.9, 5.0, 5),
    Role("sedan", _RED, "white", "DL 3C AY 9052", 1.6, True, 6.2, 6.5, 5),
    Role("bus", _CREAM, "commercial", "KL 07 BT 3690", -1.75, False, 9.4, 5.5, 0),
    Role("rickshaw", None, "commercial_two", "AP 16/TX 5813", 1.5, True, 9.2, 3.8, 5),
    Role("hatchback", _BLUE, "electric", "TS 08 EV 6274", 1.6, True, 12.6, 6.0, 1),
    Role("sedan", _WHITE, "hsrp_two", "RJ 14/CE 7301", -1.6, False, 13.6, 3.9, 1),
    Role("lorry", None, "commercial", "HR 55 AJ 4829", 1.65, True, 16.0, 5.0, 0),
    Role("motorcycle", _BLACK, "electric_two", "MH 14/JD 6035", -0.8, False, 17.0, 3.6, 4),
    Role("suv", _BLUE, "hsrp", "WB 20 BF 1597", -2.15, False, 17.6, 5.0, 0),
    Role("suv", _GRAY, "bharat", "23 BH 4186 KC", 1.6, True, 19.4, 6.0, 2),
    Role("hatchback", _GREEN, "hsrp", "PB 65 AW 7420", 1.6, True, 22.4, 6.0, 0),
    Role("sedan", _SILVER, "hsrp", "OD 02 CM 9368", -1.6, False, 22.0, 5.5, 4),
    Role("rickshaw", None, "commercial_two", "UP 32/HN 2574", -1.5, False, 24.6, 3.8, 3),
    Role("van", _WHITE, "commercial", "MP 09 ZB 8613", 1.6, True, 26.4, 6.0, 2),
)


def demo_film() -> Film:
    """Seventeen vehicles in half a minute, the last six at dusk."""
    camera = PinholeCamera.looking(_SIZE, 2000.0, (0.0, 2.4, 0.0), pitch=0.073)
    road = RoadStyle(lane_width=3.3, pavement=2.0)
    players = tuple(Player.of(role, SEED + index) for index, role in enumerate(_ROLES))
    effects = CameraEffects(gain=(1.3, 1.3, 1.3), blur_px=0.5, noise=1.6, vignette=0.12)
    return Film(Street(camera, road, _scenery(road)), players, 28.5, FRAMES_PER_SECOND, (13.5, 18.5), 0.62, effects)


def _scenery(road: RoadStyle) -> tuple[Thing, ...]:
    rng = np.random.default_rng(SEED)
    edge = road.half_width + road.pavement
    things: list[Thing] = []
    for side in (-1.0, 1.0):
        z = 30.0
        while z < 150:
            depth, height, width = float(rng.uniform(8, 16)), float(rng.uniform(5, 12)), float(rng.uniform(7, 12))
            walls = facade(rng, depth, height, 0.0), facade(rng, width, height, 0.0)
            things.append(House(side * (edge + float(rng.uniform(1.5, 4))), z, depth, width, height, *walls))
            z += depth + float(rng.uniform(1, 6))
        things += [Tree.random(rng, side * (edge + 0.6), float(at)) for at in rng.uniform(26, 110, 5)]
        things += [LampPost(side * (road.half_width + 0.5), at) for at in (34.0, 62.0, 90.0)]
    sign = lettered(rng, 2, (240, 240, 240), (90, 130, 20))
    things.append(Board(-edge - 0.4, 2.2, 27.0, 2.4, sign))
    return tuple(sorted(things, key=lambda thing: -thing.z))


def write_clip(film: Film, folder: Path) -> None:
    """Render a film into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    frames_of: dict[str, list[int]] = {player.plate.text: [] for player in film.players}
    path = folder / CLIP.name
    write_video(_note_frames(film.shots(SEED), frames_of), path, _SIZE, film.frames_per_second, _CODING)
    lines = [
        {
            "video": path.name,
            "plate": player.plate.text,
            "lines": player.plate.lines,
            "first_frame": min(frames_of[player.plate.text]),
            "last_frame": max(frames_of[player.plate.text]),
        }
        for player in film.players
    ]
    lines.sort(key=itemgetter("first_frame"))
    (folder / EVENTS_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def _note_frames(shots: Iterator[Shot], frames_of: dict[str, list[int]]) -> Iterator[ImageBgr]:
    """Pass the pictures on and write down in which a plate is seen whole."""
    for frame, shot in enumerate(shots):
        for seen in shot.plates:
            width = float(np.linalg.norm(seen.corners_px[1] - seen.corners_px[0]))
            if seen.visible >= _SEEN_SHARE and width >= _SEEN_WIDTH_PX:
                frames_of[seen.plate.text].append(frame)
        yield shot.image_bgr


def main() -> None:
    """Render the clip into the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("edge_app/demo"), help="folder to write to (default: %(default)s)"
    )
    write_clip(demo_film(), parser.parse_args().out)


if __name__ == "__main__":
    main()
