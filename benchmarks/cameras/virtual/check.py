"""The real picamera2 on the virtual camera: rate, controls, stall, unplugged and back, and the daemon on it."""

import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.cameras.virtual.rig import Switch, opener
from edge_app.app import build_daemon
from edge_app.camera_settings import CameraSettings
from edge_app.capture import picamera2_source
from edge_app.capture.camera import Camera
from edge_app.capture.frame_slot import FrameSlot
from edge_app.capture.picamera2_source import Picamera2Source
from edge_app.config import DeviceSettings, MqttSettings, Settings
from edge_app.demo import CLIP

SECONDS = 60.0
CLIP_FRAMES_PER_SECOND = 14.4
SETTINGS = CameraSettings(
    name="north", width=1280, height=720, frames_per_second=30, exposure_microseconds=800, gain=2.0, focus_metres=4.0
)


def main() -> None:
    """Print what came of each part."""
    switch = Switch()
    camera = Camera("north", Picamera2Source(SETTINGS, 0, opener(switch)), FrameSlot())
    thread = threading.Thread(target=camera.run)
    thread.start()
    _rate(camera)
    _troubles(camera, switch)
    camera.close()
    thread.join(10)
    print("threads ended:", not thread.is_alive())
    _plates()


def _rate(camera: Camera) -> None:
    """Two streams for a minute."""
    _until(lambda: camera.last_frame_ns is not None)
    first, before = camera.slot.take(5), _use()
    began, count, last = time.monotonic(), 0, first
    while time.monotonic() - began < SECONDS:
        if (frame := camera.slot.take(1)) is not None:
            count, last = count + 1, frame
    assert first is not None
    assert last is not None
    assert last.small_bgr is not None
    rate = (last.sequence - first.sequence) / (last.monotonic_ns - first.monotonic_ns) * 1e9
    print(f"{rate:.1f} frames per second for {SECONDS:g} s, {last.image_bgr.shape} and {last.small_bgr.shape}")
    print(f"descriptors, threads, MB: {before}, afterwards {_use()}; exposure as read back: {last.exposure}")


def _troubles(camera: Camera, switch: Switch) -> None:
    switch.flows.clear()
    print("stalled: lost", _until(lambda: camera.loss is not None), "-", camera.loss.reason if camera.loss else None)
    switch.flows.set()
    print("goes on: back", _until(lambda: camera.loss is None))
    switch.is_plugged = False
    switch.flows.clear()
    _until(lambda: camera.loss is not None and "list-cameras" in camera.loss.reason)
    print("unplugged:", camera.loss.reason if camera.loss else None)
    switch.flows.set()
    switch.is_plugged = True
    print("plugged in: back", _until(lambda: camera.loss is None), "-", camera.attempts, "attempts;", _use())


def _plates() -> None:
    """The daemon on this camera, without a broker: what it commits to the outbox."""
    picamera2_source.open_limited = opener(Switch(), CLIP_FRAMES_PER_SECOND)
    texts: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: texts.extend(_text_of(record))  # type: ignore[method-assign]
    logging.getLogger("edge_app").setLevel(logging.DEBUG)
    logging.getLogger("edge_app").addHandler(handler)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            device=DeviceSettings(state_directory=Path(folder)),
            camera=replace(SETTINGS, frames_per_second=CLIP_FRAMES_PER_SECOND),
            mqtt=MqttSettings(host="127.0.0.1", port=1),
        )
        daemon = build_daemon(settings)
        threading.Timer(SECONDS, daemon.ask_to_stop).start()
        daemon.run()
        shown = {json.loads(line)["plate"] for line in CLIP.with_name("events.jsonl").read_text().splitlines()}
        print(f"the daemon committed {len(shown & set(texts))} of the {len(shown)} plates")


def _text_of(record: logging.LogRecord) -> list[str]:
    return [str(record.args[1])] if record.msg == "event %s is %s" and isinstance(record.args, tuple) else []


def _until(condition: Callable[[], bool]) -> str:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > 60:
            return "never"
        time.sleep(0.02)
    return f"after {time.monotonic() - began:.1f} s"


def _use() -> tuple[int, int, int]:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    descriptors, threads = (len(list(Path(f"/proc/self/{what}").iterdir())) for what in ("fd", "task"))
    return descriptors, threads, pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


if __name__ == "__main__":
    main()
