"""Kills an RTSP server and starts it again: how soon pictures come back, and whether anything leaks.

python -m benchmarks.cameras.rtsp [ROUNDS]
"""

import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from edge_app.camera_settings import CameraSettings
from edge_app.capture.camera import Camera
from edge_app.capture.frame_slot import FrameSlot
from edge_app.capture.source import open_source

PATIENCE_SECONDS = 60.0


def main(rounds: int) -> int:
    """Measure; 1 if a round failed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = CameraSettings(source=f"rtsp://127.0.0.1:{port}/main")
    camera = Camera("north", open_source(settings), FrameSlot())
    thread = threading.Thread(target=camera.run, daemon=True)
    thread.start()
    seconds, leaks = [], []
    for number in range(rounds):
        server = _serve(port)
        back = _wait(lambda: camera.loss is None and camera.last_frame_ns is not None)
        reason_before = camera.loss
        server.kill()
        server.wait()
        lost = _wait(lambda: camera.loss is not None)
        if back is None or lost is None:
            print(f"round {number + 1}: back {back}, lost {lost}; {reason_before}")
            return 1
        seconds.append(back)
        leaks.append((len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), _rss_megabytes()))
        reason = camera.loss.reason if camera.loss else ""
        print(f"round {number + 1}: back after {back:.1f} s, lost after {lost:.1f} s: {reason}", flush=True)
    camera.close()
    thread.join(10)
    print(f"back after {statistics.median(seconds):.1f} s (median), {max(seconds):.1f} s at most")
    print(f"descriptors, threads, MB: {leaks[0]} after the first round, {leaks[-1]} after the last")
    return 0


def _serve(port: int) -> "subprocess.Popen[str]":
    script = Path(__file__).with_name("rtsp_server.py")
    server = subprocess.Popen(["/usr/bin/python3", str(script), str(port)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    if server.stdout.readline() != "ready\n":
        raise SystemExit("the server does not start; apt install python3-gi gir1.2-gst-rtsp-server-1.0 and plugins")
    return server


def _wait(condition: Callable[[], bool]) -> float | None:
    """Seconds until it holds; None if it never does."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS:
        if condition():
            return time.monotonic() - began
        time.sleep(0.02)
    return None


def _rss_megabytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
