"""Made-up vehicles."""

from datetime import datetime, timedelta

import numpy as np

from edge_app.config import DeviceSettings, MqttSettings, Settings
from edge_app.events.chain import Signer
from edge_app.events.event import EventFactory, PlateEvent
from edge_app.events.messages import SoftwareMessage
from edge_app.newer_python import UTC
from edge_app.records import (
    Candidate,
    CharacterRead,
    LineCrossing,
    PlateDetection,
    PlatePass,
    PlateRead,
    PlateText,
    StageTimes,
)

NOON = datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)
SOFTWARE = SoftwareMessage("0.1.0", detector="d" * 64, aligner="a" * 64, reader="e" * 64)


def plate_pass(text: str = "MH12AB1234", valid: bool = True, last_monotonic_ns: int = 0) -> PlatePass:
    corners = np.array([[10, 20], [110, 22], [108, 50], [9, 48]], np.float32)
    plate = PlateText(
        text=text,
        confidence=0.97,
        country="IN" if valid else None,
        format="standard" if valid else None,
        valid=valid,
        characters=tuple(CharacterRead(value, 0.99) for value in text),
        candidates=(Candidate(text, 0.97, valid), Candidate("MH12A81234", 0.02, False)),
    )
    return PlatePass(
        camera="north",
        read=PlateRead(plate, PlateDetection(corners, 0.98, lines=1)),
        crop_bgr=np.full((48, 120, 3), 128, np.uint8),
        frame_size=(1920, 1080),
        first_seen=NOON - timedelta(seconds=1),
        best_seen=NOON,
        last_seen=NOON + timedelta(seconds=1),
        frames=14,
        reads=9,
        direction="approaching",
        zones=("lane",),
        times=StageTimes(detect_ms=21.0, read_ms=7.5),
        first_monotonic_ns=last_monotonic_ns - 2_000_000_000,
        best_monotonic_ns=last_monotonic_ns - 1_000_000_000,
        last_monotonic_ns=last_monotonic_ns,
        crossings=(LineCrossing("gate", "in"),),
        is_recorded=True,
    )


def factory(images: bool = True, device: str = "gate-01", signer: Signer | None = None) -> EventFactory:
    settings = Settings(device=DeviceSettings(name=device), mqtt=MqttSettings(images=images))
    return EventFactory(settings, SOFTWARE, signer=signer)


def event(text: str = "MH12AB1234", images: bool = True, signer: Signer | None = None) -> PlateEvent:
    return factory(images, signer=signer).make(plate_pass(text))
