"""The daemon's life around a canned pipeline: real sources, a real outbox, a real broker, real signals."""

import dataclasses
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from edge_app.__main__ import main
from edge_app.app import build_daemon
from edge_app.backoff import Backoff
from edge_app.capture.camera import Camera
from edge_app.capture.camera_health import CameraHealth, PictureState
from edge_app.capture.file_source import FileSource
from edge_app.capture.frame_slot import FairTurns, FrameSlot
from edge_app.capture.image_folder_source import ImageFolderSource
from edge_app.capture.motion_gate import WARM_UP_SECONDS, MotionGate
from edge_app.capture.opencv_stream import OpenCvStream
from edge_app.capture.source import Source
from edge_app.capture.stamp import Stamp
from edge_app.config import (
    CameraSettings,
    DeviceSettings,
    HealthSettings,
    HookSettings,
    ListSettings,
    ModelSettings,
    MotionSettings,
    MqttSettings,
    Settings,
    TrackingSettings,
)
from edge_app.daemon import DRAIN_SECONDS, Daemon
from edge_app.demo import CLIP
from edge_app.errors import ConfigurationError, EdgeAnprError, OutboxError, SourceError
from edge_app.events.disk_state import DiskState
from edge_app.events.event import WaitingEvent
from edge_app.events.event_schema import schema_of
from edge_app.events.lists.hook import Hook
from edge_app.events.lists.lists import Lists
from edge_app.events.messages import ReadMessage
from edge_app.lane import Lane
from edge_app.outbox.outbox import Outbox
from edge_app.outbox.spilling_queue import Limits
from edge_app.records import Frame, PlatePass
from edge_app.service.systemd import WATCHDOG_SECONDS, Systemd
from edge_app.uplink.publisher import Publisher
from tests.capture.pictures import write_clip, write_picture
from tests.events.passes import factory, plate_pass
from tests.mosquitto import Mosquitto, Subscriber

NOBODY = MqttSettings(host="127.0.0.1", port=1)
"""A broker that is not there."""
NO_GATE = MotionSettings(enabled=False)
DEFAULTS = TrackingSettings()
DEFAULT_HEALTH = HealthSettings()
NO_LISTS = Lists((), lambda _: True)


class VehicleInEveryFrame:
    """A pipeline to which every frame shows a new vehicle, gone with the next frame; does something in one of them."""

    def __init__(self, number: int = 0, then: Callable[[], object] = lambda: None) -> None:
        self.frames = self.too_brief = self.repeated = 0
        self.fixed_texts = ()
        self._number, self._then = number, then
        self._in_view: list[PlatePass] = []

    def process(self, frame: Frame) -> list[PlatePass]:
        """The vehicle of the frame before."""
        self.frames += 1
        if self.frames == self._number:
            self._then()
        gone, self._in_view = self._in_view, [plate_pass()]
        return gone

    def rest(self) -> list[PlatePass]:
        """The vehicle of the last frame."""
        return self.flush()

    def flush(self) -> list[PlatePass]:
        """The vehicle of the last frame."""
        gone, self._in_view = self._in_view, []
        return gone


class FlushThen(VehicleInEveryFrame):
    """Does something when the last vehicle is asked for."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self._at_the_end = then

    def flush(self) -> list[PlatePass]:
        """The vehicle of the last frame."""
        self._at_the_end()
        return super().flush()


class EmptyRoad(VehicleInEveryFrame):
    """A pipeline that finds nothing, so that only the publisher turns to the outbox."""

    def process(self, frame: Frame) -> list[PlatePass]:
        """Nothing."""
        return []


def terminate() -> None:
    """Send this process what systemd sends."""
    os.kill(os.getpid(), signal.SIGTERM)


class Rig:
    """A daemon and what it is made of."""

    def __init__(self, directory: Path, mqtt: MqttSettings = NOBODY) -> None:
        self.path = directory / "state" / "outbox.sqlite"
        self.outbox = Outbox(self.path)
        self.backoff = Backoff()
        self._mqtt = mqtt
        self.stop = threading.Event()

    def daemon(
        self,
        source: Source,
        pipeline: VehicleInEveryFrame,
        motion: MotionSettings = NO_GATE,
        tracking: TrackingSettings = DEFAULTS,
        lists: Lists = NO_LISTS,
        hook: Hook | None = None,
        health: HealthSettings = DEFAULT_HEALTH,
    ) -> Daemon:
        """A daemon on a source."""
        return self.daemon_of({"north": (source, pipeline)}, motion, tracking, lists, hook, health)

    def daemon_of(
        self,
        cameras: dict[str, tuple[Source, VehicleInEveryFrame]],
        motion: MotionSettings = NO_GATE,
        tracking: TrackingSettings = DEFAULTS,
        lists: Lists = NO_LISTS,
        hook: Hook | None = None,
        health: HealthSettings = DEFAULT_HEALTH,
    ) -> Daemon:
        """A daemon on several sources, each with a pipeline of its own."""
        self.publisher = Publisher(self._mqtt, "gate-01", self.outbox, self.stop, backoff=self.backoff)
        changed = threading.Condition()
        lanes = [
            Lane(
                Camera(name, source, FrameSlot(changed), backoff=Backoff(0.001, 0.01)),
                MotionGate(motion),
                pipeline,
                tracking.lost_seconds,
                CameraHealth(health),
            )
            for name, (source, pipeline) in cameras.items()
        ]
        return Daemon(
            Settings(tracking=tracking),
            lanes,
            FairTurns([lane.camera.slot for lane in lanes], changed),
            lists,
            factory(),
            self.outbox,
            self.publisher,
            self.stop,
            hook,
        )

    def waiting(self) -> list[WaitingEvent]:
        """The events left on the disk, once the daemon is known to have let go of the file."""
        assert list(self.path.parent.iterdir()) == [self.path], "the journal was not folded into the file"
        after = Outbox(self.path)
        waiting = after.pending(100)
        after.close()
        return waiting


def pictures(directory: Path, count: int, frames_per_second: float = 10.0) -> ImageFolderSource:
    """A recording of an even grey."""
    (directory / "pictures").mkdir()
    for number in range(count):
        write_picture(directory / "pictures" / f"{number:03}.png")
    return ImageFolderSource(directory / "pictures", "north", frames_per_second)


def camera(directory: Path) -> OpenCvStream:
    """A live source that goes on until it is closed."""
    clip = write_clip(directory / "clip.mp4", frames=8)
    return OpenCvStream("north", "a clip", lambda: cv2.VideoCapture(str(clip)), lambda _: SourceError("it ended"))


class CameraThatFallsSilent:
    """A live source that gives one frame and then nothing, without an end."""

    live, is_open = True, True

    def __init__(self) -> None:
        self.stamp = Stamp("north")
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """One frame."""
        frame = self.stamp.live(np.zeros((48, 64, 3), np.uint8))
        assert frame is not None
        yield frame
        self._closed.wait()

    def close(self) -> None:
        """End."""
        self._closed.set()


class BackoffThatBreaks(Backoff):
    """Kills the publisher, whose broker is not there, on request."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = threading.Event()

    def next_seconds(self) -> float:
        """Fail."""
        self.broken.wait()
        raise ZeroDivisionError


@pytest.fixture(autouse=True)
def nobody_is_left_behind() -> Iterator[None]:
    """Every test ends with its threads gone."""
    yield
    for thread in threading.enumerate():
        if thread.name in ("publisher", "lists", "hook") or thread.name.startswith("camera "):
            thread.join(5)
            assert not thread.is_alive()


@pytest.fixture
def no_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for a broker that will not come."""
    monkeypatch.setattr("edge_app.daemon.DRAIN_SECONDS", 0.0)


def test_a_recording_is_published_to_its_last_vehicle_and_the_outbox_closed(
    tmp_path: Path, broker: Mosquitto, subscriber: Subscriber
) -> None:
    rig = Rig(tmp_path, broker.settings)
    daemon = rig.daemon(pictures(tmp_path, 7), VehicleInEveryFrame())

    daemon.run()

    assert (daemon.frames, daemon.passes, daemon.lanes[0].camera.slot.dropped) == (7, 7, 0)
    assert len(subscriber.until(7, "/read")) == 7
    assert [message.payload for message in subscriber.until(2, "/status")] == [b"online", b"offline"]
    assert rig.waiting() == []


@pytest.mark.usefixtures("no_drain")
def test_the_end_of_a_recording_logs_what_was_published_and_what_was_seen_too_briefly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    pipeline = VehicleInEveryFrame()
    pipeline.too_brief = 4
    daemon = Rig(tmp_path).daemon(pictures(tmp_path, 2), pipeline)

    daemon.run()

    what = "2 plates published, 4 read in fewer than 3 frames (min_reads) and left out"
    assert f"camera north: the recording ended after 2 frames: {what}" in caplog.messages


@pytest.mark.usefixtures("no_drain")
def test_pictures_that_cannot_be_decoded_are_counted_in_the_telemetry(tmp_path: Path) -> None:
    rig, source = Rig(tmp_path), pictures(tmp_path, 4)
    (tmp_path / "pictures" / "001.png").write_bytes(b"not a picture")
    daemon = rig.daemon(source, EmptyRoad())

    daemon.run()

    vitals = rig.publisher.vitals
    assert vitals is not None
    assert (vitals.frames, vitals.frames_corrupt) == (3, 1)


@pytest.mark.usefixtures("no_drain")
def test_without_a_broker_every_vehicle_waits_on_the_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(tmp_path)
    daemon = rig.daemon(pictures(tmp_path, 4), VehicleInEveryFrame())

    daemon.run()

    assert [each.sequence for each in rig.waiting()] == [1, 2, 3, 4]
    assert "the broker has not taken every event; the rest waits in the outbox" in caplog.text


def test_events_that_a_full_disk_has_not_taken_are_named_once_as_lost_and_the_command_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rig = Rig(tmp_path)
    rig.outbox.close()
    rig.outbox = Outbox(rig.path, Limits(keep_free_bytes=10**18))
    daemon = rig.daemon(camera(tmp_path), VehicleInEveryFrame(2, terminate))

    with pytest.raises(OutboxError, match="2 events that the disk of the outbox did not take are lost, for it is full"):
        daemon.run()

    assert "stopped; " not in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_the_vehicle_in_view_counts(
    tmp_path: Path, number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rig = Rig(tmp_path)
    before = signal.getsignal(number)
    pipeline = VehicleInEveryFrame(5, lambda: os.kill(os.getpid(), number))
    daemon = rig.daemon(camera(tmp_path), pipeline)

    daemon.run()

    assert (pipeline.frames, daemon.frames, daemon.passes) == (5, 5, 5)
    assert caplog.messages[-1] == "stopped; 5 events wait in the outbox"
    assert len(rig.waiting()) == 5
    assert signal.getsignal(number) is before


def test_beside_the_main_thread_it_leaves_signals_alone_and_stops_when_asked(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    begun = threading.Event()
    before = signal.getsignal(signal.SIGTERM)
    daemon = rig.daemon(camera(tmp_path), VehicleInEveryFrame(1, begun.set))
    running = threading.Thread(target=daemon.run)

    running.start()
    begun.wait(5)
    during = signal.getsignal(signal.SIGTERM)
    daemon.ask_to_stop()
    running.join(5)

    assert not running.is_alive()
    assert during is before
    assert len(rig.waiting()) == daemon.passes > 0


class CameraThatComesAndGoes:
    """A live source of one frame a time, and none for the first attempts."""

    live, is_open = True, True

    def __init__(self, name: str = "north", away: int = 0) -> None:
        self.stamp = Stamp(name)
        self._away = away
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """One frame, then the end."""
        self._away -= 1
        if self._away >= 0:
            raise SourceError("no such camera; check the cable")
        frame = self.stamp.live(np.zeros((48, 64, 3), np.uint8))
        assert frame is not None
        yield frame

    def close(self) -> None:
        """Nothing is open."""


class NoCamera(CameraThatComesAndGoes):
    """A live source that never gives a frame."""

    def __init__(self, name: str = "north") -> None:
        super().__init__(name, away=1_000_000)


def test_a_camera_that_comes_and_goes_is_opened_again_and_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rig = Rig(tmp_path)
    daemon = rig.daemon(CameraThatComesAndGoes(away=3), VehicleInEveryFrame(20, terminate))

    daemon.run()

    assert len(rig.waiting()) == daemon.passes == 20
    assert "camera north: pictures arrive, 64 × 48 pixels" in caplog.messages


def test_without_a_camera_the_outbox_is_sent_and_the_telemetry_says_why_and_since_when(
    tmp_path: Path, broker: Mosquitto, subscriber: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    before = Rig(tmp_path)
    before.outbox.put(factory().make(plate_pass()))
    before.outbox.close()
    daemon = Rig(tmp_path, broker.settings).daemon(NoCamera(), EmptyRoad())
    running = threading.Thread(target=daemon.run)

    running.start()
    assert len(subscriber.until(1, "/read")) == 1
    (camera,) = first_vitals(subscriber, lambda vitals: vitals["picture"] == "lost")["cameras"]
    status = daemon.status()
    daemon.ask_to_stop()
    running.join(5)

    assert (camera["name"], camera["state"], camera["last_frame"]) == ("north", "lost", None)
    assert camera["reason"] == "no such camera; check the cable"
    assert (status.alive, status.ready) == (True, False)
    assert status.fields["parts"]["camera"] == {"well": False, "state": "north: no such camera; check the cable"}
    assert caplog.messages.count("camera north: lost: no such camera; check the cable") == 1


def first_vitals(subscriber: Subscriber, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first vitals that are as wanted."""
    for count in range(1, 20):
        vitals: dict[str, Any] | None = json.loads(subscriber.until(count, "/telemetry")[count - 1].payload)["vitals"]
        if vitals is not None and wanted(vitals):
            return vitals
    raise AssertionError("they were never published")


def test_one_cameras_trouble_costs_the_others_nothing(tmp_path: Path) -> None:
    rig, yard = Rig(tmp_path), VehicleInEveryFrame(30, terminate)
    cameras: dict[str, tuple[Source, VehicleInEveryFrame]] = {
        "north": (NoCamera("north"), EmptyRoad()),
        "south": (StuckCamera(), EmptyRoad()),
        "yard": (camera(tmp_path), yard),
    }
    daemon = rig.daemon_of(cameras)
    stuck = cameras["south"][0]
    assert isinstance(stuck, StuckCamera)

    daemon.run()
    stuck.back.set()

    states = [lane.condition.state for lane in daemon.lanes]
    assert [lane.vehicles for lane in daemon.lanes] == [0, 0, 30]
    assert states[:2] == [PictureState.LOST, PictureState.STARTING]
    assert rig.publisher.vitals is not None
    assert [each.name for each in rig.publisher.vitals.cameras] == ["north", "south", "yard"]
    assert rig.publisher.vitals.vehicles >= 29


def test_a_recording_beside_a_live_camera_may_end(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    live = VehicleInEveryFrame(200, terminate)
    daemon = rig.daemon_of({"north": (pictures(tmp_path, 3), VehicleInEveryFrame()), "yard": (camera(tmp_path), live)})

    daemon.run()

    assert [lane.vehicles for lane in daemon.lanes] == [3, 200]


def test_when_the_camera_falls_silent_the_vehicle_in_view_counts_without_a_next_frame(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    tracking = TrackingSettings(lost_seconds=0.1)
    daemon = rig.daemon(CameraThatFallsSilent(), VehicleInEveryFrame(), tracking=tracking)
    running = threading.Thread(target=daemon.run)

    running.start()
    deadline = time.monotonic() + 20
    while not daemon.passes and time.monotonic() < deadline:
        running.join(0.01)
    committed_in_silence = daemon.passes
    daemon.ask_to_stop()
    running.join(5)

    assert committed_in_silence == 1
    assert len(rig.waiting()) == 1


def test_what_kills_the_camera_thread_is_raised_and_the_outbox_closed(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"not a video")
    rig = Rig(tmp_path)
    daemon = rig.daemon(FileSource(tmp_path / "clip.mp4", "north"), VehicleInEveryFrame())

    with pytest.raises(SourceError, match="is cut off, empty or of an unknown kind"):
        daemon.run()

    assert rig.waiting() == []


def test_what_kills_the_publisher_thread_is_raised(tmp_path: Path, broker: Mosquitto) -> None:
    rig = Rig(tmp_path, broker.settings)
    daemon = rig.daemon(camera(tmp_path), EmptyRoad())
    rig.outbox.close()

    with pytest.raises(Exception, match="closed database"):
        daemon.run()


def test_what_kills_the_publisher_thread_does_not_cost_the_vehicle_in_view(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.backoff = backoff = BackoffThatBreaks()
    daemon = rig.daemon(camera(tmp_path), VehicleInEveryFrame(3, backoff.broken.set))

    with pytest.raises(EdgeAnprError, match="the publisher thread died"):
        daemon.run()

    assert len(rig.waiting()) == daemon.passes == daemon.frames >= 3


def test_an_error_in_the_pipeline_stops_both_threads_and_keeps_what_was_committed(tmp_path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    rig = Rig(tmp_path)
    daemon = rig.daemon(camera(tmp_path), VehicleInEveryFrame(4, fail))

    with pytest.raises(ZeroDivisionError):
        daemon.run()

    assert len(rig.waiting()) == daemon.passes == 2


def test_the_end_of_a_recording_waits_for_no_broker_once_asked_to_stop(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    soon = threading.Timer(0.1, terminate)
    daemon = rig.daemon(pictures(tmp_path, 3), FlushThen(soon.start))
    began = time.monotonic()

    daemon.run()

    assert time.monotonic() - began < DRAIN_SECONDS / 2
    assert len(rig.waiting()) == 3


def test_a_live_picture_that_shows_nothing_is_logged_and_a_recording_is_not_judged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "live").mkdir()
    at_once = HealthSettings(confirm_seconds=0)
    live = Rig(tmp_path / "live").daemon(CameraThatFallsSilent(), VehicleInEveryFrame(1, terminate), health=at_once)
    recorded = Rig(tmp_path / "recorded").daemon(pictures(tmp_path, 2), EmptyRoad())

    live.run()
    recorded.run()

    states = [daemon.lanes[0].condition.state for daemon in (live, recorded)]
    assert states == [PictureState.DARK, PictureState.GOOD]
    assert caplog.messages.count("camera north: the picture is dark") == 1


@pytest.mark.usefixtures("no_drain")
def test_a_plates_text_is_logged_at_debug_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text = plate_pass().read.text

    Rig(tmp_path).daemon(pictures(tmp_path, 2), VehicleInEveryFrame()).run()

    levels = {record.levelno for record in caplog.records if text in record.getMessage()}
    assert levels == {logging.DEBUG}
    assert sum("after 9 reads" in message for message in caplog.messages) == 2


def one_list(folder: Path, kind: str, plate: str) -> Lists:
    """A list with a plate."""
    (folder / "list.csv").write_text(f"{plate}\n")
    return Lists([ListSettings("the-list", kind, folder / "list.csv")], lambda _: True)


@pytest.mark.usefixtures("no_drain")
def test_a_plate_to_ignore_leaves_no_event_and_is_not_counted(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    lists = one_list(tmp_path, "ignore", plate_pass().read.text)
    daemon = rig.daemon(pictures(tmp_path, 3), VehicleInEveryFrame(), lists=lists)

    daemon.run()

    assert daemon.passes == 0
    assert rig.waiting() == []


class EarlyThenOther(VehicleInEveryFrame):
    """One vehicle, published early with one text; when it has gone, with another."""

    def __init__(self, before_it_goes: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._before_it_goes = before_it_goes

    def process(self, frame: Frame) -> list[PlatePass]:
        """The vehicle, in the first frame."""
        self.frames += 1
        return [dataclasses.replace(plate_pass("MH12AB1239"), vehicle=7, is_final=False)] if self.frames == 1 else []

    def flush(self) -> list[PlatePass]:
        """The whole of it."""
        self._before_it_goes()
        return [dataclasses.replace(plate_pass(), vehicle=7, revision="corrected")]


def test_an_early_read_whose_plate_turns_out_to_be_one_to_ignore_is_taken_back(
    tmp_path: Path, broker: Mosquitto, subscriber: Subscriber
) -> None:
    rig = Rig(tmp_path, broker.settings)
    lists = one_list(tmp_path, "ignore", plate_pass().read.text)
    vehicle = EarlyThenOther(before_it_goes=lambda: subscriber.until(1, "/read"))
    daemon = rig.daemon(pictures(tmp_path, 3), vehicle, lists=lists)

    daemon.run()

    reads = [json.loads(message.payload) for message in subscriber.until(2, "/read")]
    assert [(read["plate"]["text"], read["revision"]) for read in reads] == [
        ("MH12AB1239", None),
        ("MH12AB1239", "withdrawn"),
    ]
    assert reads[0]["event_id"] == reads[1]["event_id"]
    assert [read["sequence"] for read in reads] == [1, 2]
    early, withdrawn = subscriber.until(2, "/last")
    assert (json.loads(early.payload)["text"], withdrawn.payload) == ("MH12AB1239", b"")
    assert plate_pass().read.text.encode() not in b"".join(message.payload for message in subscriber.messages)
    assert daemon.passes == 1


@pytest.mark.usefixtures("no_drain")
def test_an_early_read_that_still_waits_when_its_plate_turns_out_to_be_one_to_ignore_is_never_sent(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    lists = one_list(tmp_path, "ignore", plate_pass().read.text)
    daemon = rig.daemon(pictures(tmp_path, 3), EarlyThenOther(), lists=lists)

    daemon.run()

    assert daemon.passes == 1, "it was not published early"
    assert rig.waiting() == []
    assert b"MH12AB1239" not in rig.path.read_bytes()


@pytest.mark.usefixtures("no_drain")
def test_the_hook_gets_the_numbered_event_of_a_plate_on_its_list(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text(f"#!/bin/sh\ncat > {tmp_path}/hooked.json\n")
    (tmp_path / "hook").chmod(0o755)
    rig = Rig(tmp_path)
    hook = Hook(HookSettings(tmp_path / "hook"), rig.stop)
    lists = one_list(tmp_path, "allow", plate_pass().read.text)
    pipeline = VehicleInEveryFrame(5, lambda: waits_until(lambda: hook.state().done == 3))
    daemon = rig.daemon(pictures(tmp_path, 5), pipeline, lists=lists, hook=hook)

    daemon.run()

    hooked = json.loads((tmp_path / "hooked.json").read_bytes())
    Draft202012Validator(schema_of(ReadMessage)).validate(hooked)
    assert hooked["event_id"] in [each.event_id for each in rig.waiting()]
    assert (hooked["historical"], hooked["lists"][0]["list"]) == (False, "the-list")


@pytest.mark.usefixtures("no_drain")
def test_what_the_hook_has_not_begun_when_the_daemon_stops_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "hook").write_text("#!/bin/sh\nsleep 1\n")
    (tmp_path / "hook").chmod(0o755)
    rig = Rig(tmp_path)
    hook = Hook(HookSettings(tmp_path / "hook"), rig.stop)
    lists = one_list(tmp_path, "allow", plate_pass().read.text)
    daemon = rig.daemon(pictures(tmp_path, 4), VehicleInEveryFrame(), lists=lists, hook=hook)

    daemon.run()

    assert hook.state().skipped == caplog.text.count("the service stops") >= 2
    assert hook.is_idle


def test_at_the_end_of_a_recording_the_hook_is_waited_for(tmp_path: Path, broker: Mosquitto) -> None:
    (tmp_path / "hook").write_text("#!/bin/sh\nsleep 0.5\n")
    (tmp_path / "hook").chmod(0o755)
    rig = Rig(tmp_path, broker.settings)
    hook = Hook(HookSettings(tmp_path / "hook"), rig.stop)
    lists = one_list(tmp_path, "allow", plate_pass().read.text)
    daemon = rig.daemon(pictures(tmp_path, 3), VehicleInEveryFrame(), lists=lists, hook=hook)

    daemon.run()

    assert (hook.state().done, hook.state().skipped) == (3, 0)


def waits_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.usefixtures("no_drain")
def test_a_list_that_vanishes_while_the_daemon_runs_is_in_the_telemetry_and_still_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.events.lists.lists.CHECK_SECONDS", 0.01)
    rig = Rig(tmp_path)
    lists = one_list(tmp_path, "deny", plate_pass().read.text)

    def vanish() -> None:
        (tmp_path / "list.csv").unlink()
        waits_until(lambda: lists.state()[0].fault is not None)

    pipeline = VehicleInEveryFrame(2, vanish)
    daemon = rig.daemon(pictures(tmp_path, 8), pipeline, lists=lists)

    daemon.run()

    assert rig.publisher.vitals is not None
    (state,) = rig.publisher.vitals.lists
    assert (state.plates, "the list cannot be read" in str(state.fault)) == (1, True)
    assert [each.read.lists[0].kind for each in rig.waiting()] == ["deny"] * 8
    assert "list the-list: the last good one, of 1 plate, holds" in caplog.text


class StuckCamera:
    """A camera whose driver does not come back."""

    live, is_open = True, True

    def __init__(self) -> None:
        self.stamp = Stamp("north")
        self.back = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """Hang."""
        self.back.wait(30)
        yield from ()

    def close(self) -> None:
        """Change nothing."""


def test_a_camera_that_hangs_does_not_hold_up_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.daemon.JOIN_SECONDS", 0.1)
    rig, stuck = Rig(tmp_path), StuckCamera()
    daemon = rig.daemon(stuck, VehicleInEveryFrame())
    daemon.ask_to_stop()

    daemon.run()

    stuck.back.set()
    assert "the camera north thread does not end; leaving it behind" in caplog.text
    assert rig.waiting() == []


@pytest.mark.usefixtures("no_drain")
def test_when_nothing_moves_any_more_the_search_ends_and_the_vehicle_in_view_counts(tmp_path: Path) -> None:
    rig, pipeline = Rig(tmp_path), VehicleInEveryFrame()
    source = pictures(tmp_path, int(WARM_UP_SECONDS) + 8, frames_per_second=1.0)
    daemon = rig.daemon(source, pipeline, MotionSettings(hold_seconds=0.0))

    daemon.run()

    assert pipeline.frames == int(WARM_UP_SECONDS) + 1 < daemon.frames
    assert daemon.passes == pipeline.frames


class Notified:
    """The socket that systemd would listen on."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(30)

    def until(self, wanted: str) -> list[str]:
        """All output up to a word."""
        output: list[str] = []
        while wanted not in output:
            output += self._socket.recv(4096).decode().splitlines()
        return output

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notified]:
    """The notifications to systemd."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    listening = Notified(tmp_path / "notify")
    yield listening
    listening.close()


@pytest.mark.usefixtures("no_drain")
def test_systemd_is_notified_of_the_first_frame_of_the_state_and_of_the_end(tmp_path: Path, systemd: Notified) -> None:
    Rig(tmp_path).daemon(pictures(tmp_path, 3), VehicleInEveryFrame()).run()

    output = systemd.until("STOPPING=1")
    assert output.count("READY=1") == 1
    assert "WATCHDOG=1" in output
    assert any(re.match(r"STATUS=camera north: good, \d frames, 0 dropped, \d vehicle", line) for line in output)


def test_systemd_is_not_notified_before_a_frame_went_through(tmp_path: Path, systemd: Notified) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"not a video")
    daemon = Rig(tmp_path).daemon(FileSource(tmp_path / "clip.mp4", "north"), VehicleInEveryFrame())

    with pytest.raises(EdgeAnprError):
        daemon.run()

    assert "READY=1" not in systemd.until("STOPPING=1")


def test_systemd_is_notified_when_a_camera_that_is_away_is_retried(tmp_path: Path, systemd: Notified) -> None:
    daemon = Rig(tmp_path).daemon(NoCamera(), EmptyRoad())
    running = threading.Thread(target=daemon.run)

    running.start()
    output = systemd.until("READY=1")
    daemon.ask_to_stop()
    output += systemd.until("STOPPING=1")
    running.join(5)

    assert daemon.frames == 0
    assert any(re.match(r"STATUS=camera north: (lost|starting), 0 frames", line) for line in output)


def test_a_systemd_that_is_not_reached_is_named_in_the_log_and_does_no_harm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Systemd(lambda: 0.0, {}).ready()
    unasked = caplog.text

    Systemd(lambda: 0.0, {"NOTIFY_SOCKET": str(tmp_path / "none")}).ready()

    assert unasked == ""
    assert f"systemd is not reached at {tmp_path / 'none'}" in caplog.text


def test_the_watchdog_is_fed_after_progress_only_and_not_too_often(systemd: Notified) -> None:
    now = 100.0
    notifier = Systemd(lambda: now, os.environ)

    notifier.alive(1)
    notifier.alive(2)  # too soon
    now += WATCHDOG_SECONDS
    notifier.alive(1)  # nothing happened
    notifier.alive(2)
    now += WATCHDOG_SECONDS
    notifier.alive(3)
    notifier.stopping()

    assert systemd.until("STOPPING=1").count("WATCHDOG=1") == 3


def test_sighup_reads_the_configuration_again_and_a_wrong_one_changes_nothing(
    tmp_path: Path, systemd: Notified
) -> None:
    good = f"""
[device]
state_directory = "state"
[camera]
source = "file:{CLIP}?loop=1&speed=1"
[mqtt]
host = "127.0.0.1"
port = 1
"""
    (tmp_path / "config.toml").write_text(good)
    command = [sys.executable, "-m", "edge_app", "run", "--config", str(tmp_path / "config.toml")]
    output: list[str] = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        systemd.until("READY=1")
        (tmp_path / "config.toml").write_text(f"{good}\nnonsense = 1\n")
        process.send_signal(signal.SIGHUP)
        while "reload: nothing was changed" not in "".join(output):
            output.append(process.stderr.readline())
        (tmp_path / "config.toml").write_text(good)
        process.send_signal(signal.SIGHUP)
        while "pictures arrive" not in "".join(output).partition("reload: the new configuration is tried")[2]:
            output.append(process.stderr.readline())
        process.terminate()
        output.append(process.communicate(timeout=60)[1])

    assert "nonsense" in "".join(output)
    assert process.returncode == 0


def test_the_command_ends_well_at_sigterm_and_leaves_one_whole_file(tmp_path: Path, systemd: Notified) -> None:
    (tmp_path / "config.toml").write_text(f"""
[device]
state_directory = "state"
[camera]
source = "file:{CLIP}?loop=1&speed=1"
[mqtt]
host = "127.0.0.1"
port = 1
""")
    command = [sys.executable, "-m", "edge_app", "run", "--config", str(tmp_path / "config.toml")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        systemd.until("READY=1")
        process.terminate()
        output = process.communicate(timeout=30)[1]

    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["outbox.sqlite"]


def test_a_camera_that_is_not_there_is_an_error_before_an_outbox_is_made(tmp_path: Path) -> None:
    settings = Settings(
        device=DeviceSettings(state_directory=tmp_path / "state"),
        camera=CameraSettings(source=f"file:{tmp_path / 'absent.mp4'}"),
    )

    with pytest.raises(ConfigurationError, match="no such video file"):
        build_daemon(settings)

    assert not (tmp_path / "state").exists()


def test_a_folder_of_models_that_is_not_there_is_wrong_configuration(tmp_path: Path) -> None:
    settings = Settings(
        device=DeviceSettings(state_directory=tmp_path / "state"), models=ModelSettings(directory=tmp_path / "absent")
    )

    with pytest.raises(ConfigurationError, match=r"\[models\] directory: .*absent: no such folder"):
        build_daemon(settings)


def test_a_daemon_that_cannot_be_built_lets_go_of_the_outbox(tmp_path: Path) -> None:
    settings = Settings(
        device=DeviceSettings(state_directory=tmp_path / "state"),
        camera=CameraSettings(source=f"file:{CLIP}"),
        mqtt=MqttSettings(password_file=tmp_path / "absent"),
    )

    with pytest.raises(ConfigurationError, match="absent") as refused:
        build_daemon(settings)

    with closing(Outbox(tmp_path / "state" / "outbox.sqlite")) as after:
        assert after.disk is DiskState.GOOD
    assert refused.value.__traceback__ is not None, "while somebody still inspects the error"


@pytest.mark.parametrize(
    ("content", "fault"),
    [(None, "the configuration cannot be read"), ("[mqtt]\nhots = 'a'\n", "2: [mqtt] hots: there is no such key")],
)
def test_a_wrong_configuration_ends_the_command_so_that_systemd_does_not_try_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, fault: str
) -> None:
    if content is not None:
        (tmp_path / "config.toml").write_text(content)

    code = main(["run", "--config", str(tmp_path / "config.toml")])

    assert code == 2
    assert fault in capsys.readouterr().err
