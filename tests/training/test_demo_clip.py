"""The demo's clip as it is made."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_app.evaluation.clips.truth import EVENTS_FILE, read_clips
from training.demo_clip import demo_film, write_clip
from training.synthetic.film import Film, Player, Shot
from training.synthetic.traffic import SeenPlate

WIDE = np.array([[100, 100], [200, 100], [200, 130], [100, 130]], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ShortFilm(Film):
    """Four frames of one plate, drawn by nobody: hidden, whole, whole, too small."""

    def shots(self, seed: int) -> Iterator[Shot]:
        """See `Film.shots`."""
        (player,) = self.players
        actor = player.at(player.role.passes_at)
        assert actor is not None
        for corners_px, visible in ((WIDE, 0.5), (WIDE, 1.0), (WIDE, 1.0), (WIDE * np.float32(0.1), 1.0)):
            seen = SeenPlate(corners_px, player.plate, actor, visible)
            yield Shot(np.zeros((720, 1280, 3), np.uint8), [seen])


def only(player: Player) -> Film:
    """The demo's film with one of its vehicles."""
    film = replace(demo_film(), players=(player,))
    return ShortFilm(**{name: getattr(film, name) for name in Film.__dataclass_fields__})


def test_a_film_becomes_a_clip_and_a_line_for_each_vehicle(tmp_path: Path) -> None:
    player = next(each for each in demo_film().players if each.plate.text == "MH12AB1234")

    write_clip(only(player), tmp_path)

    (clip,) = read_clips(tmp_path)
    (vehicle,) = clip.vehicles
    assert (vehicle.plate, vehicle.first_frame, vehicle.last_frame) == ("MH12AB1234", 1, 2)
    assert json.loads((tmp_path / EVENTS_FILE).read_text())["lines"] == 1
