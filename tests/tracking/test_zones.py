"""Parts of the picture that count."""

import numpy as np

from edge_app.config import ZoneSettings
from edge_app.records import PlateDetection
from edge_app.tracking.zones import Zones

LEFT = ZoneSettings("left", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
LOWER = ZoneSettings("lower", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
PARKED = ZoneSettings("parked", ((0.0, 0.9), (0.2, 0.9), (0.2, 1.0), (0.0, 1.0)), include=False)
SIZE = (1000, 500)


def plate_at(x: float, y: float) -> PlateDetection:
    corners = np.array([[-50, -12], [50, -12], [50, 12], [-50, 12]], np.float32) + np.array([x, y], np.float32)
    return PlateDetection(corners, 0.9, 1)


def test_without_zones_every_plate_counts() -> None:
    zones = Zones([])

    assert zones.admits(plate_at(900, 100), SIZE)
    assert zones.names(plate_at(900, 100), SIZE) == []


def test_if_zones_are_included_plates_outside_all_of_them_do_not_count() -> None:
    zones = Zones([LEFT, LOWER])

    assert zones.names(plate_at(200, 400), SIZE) == ["left", "lower"]
    assert zones.names(plate_at(900, 400), SIZE) == ["lower"]
    assert zones.admits(plate_at(900, 400), SIZE)
    assert not zones.admits(plate_at(900, 100), SIZE)


def test_an_excluded_zone_wins_over_the_included_ones_around_it() -> None:
    zones = Zones([LEFT, PARKED])

    assert not zones.admits(plate_at(100, 480), SIZE)
    assert zones.admits(plate_at(300, 480), SIZE)


def test_an_excluded_zone_alone_leaves_the_rest_of_the_picture() -> None:
    zones = Zones([PARKED])

    assert zones.admits(plate_at(900, 100), SIZE)
    assert not zones.admits(plate_at(100, 480), SIZE)
