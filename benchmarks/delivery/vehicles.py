"""Made-up vehicles with pictures as large as real ones."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from edge_app.config import DeviceSettings, Settings
from edge_app.events.event import EventFactory, PlateEvent
from tests.events.passes import SOFTWARE, plate_pass

CAMERAS = ("north", "south")


def events(device: str, cameras: Sequence[str] = CAMERAS, seed: int = 0) -> Iterator[PlateEvent]:
    """Endlessly many, by turns from each camera; a picture has about 7 kB."""
    random = np.random.default_rng(seed)
    noise = random.normal(128, 20, (80, 200, 3)).clip(0, 255).astype(np.uint8)
    factory = EventFactory(Settings(device=DeviceSettings(name=device)), SOFTWARE)
    for camera in itertools.cycle(cameras):
        crop = np.roll(noise, int(random.integers(200)), axis=1)
        yield factory.make(dataclasses.replace(plate_pass(), camera=camera, crop_bgr=crop))
