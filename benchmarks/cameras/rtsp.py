"""Takes an RTSP server away in several ways and brings it back: how soon pictures come, and whether anything leaks.

python -m benchmarks.cameras.rtsp [ROUNDS]
"""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_app.camera_settings import CameraSettings
from edge_app.capture.camera import Camera
from edge_app.capture.frame_slot import FrameSlot
from edge_app.capture.source import open_source

PATIENCE_SECONDS = 60.0
WANTED_SECONDS = 3.0
KINDS = ((), ("--width", "1280", "--height", "720"), ("--codec", "h265"))
"""What the server serves in turn: a usual stream, one of another size, one of another codec."""


@dataclass(frozen=True, slots=True)
class Use:
    """What the process holds."""

    descriptors: int
    threads: int
    megabytes: int

    @classmethod
    def now(cls) -> "Use":
        """Of this process."""
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        tasks = len(list(Path("/proc/self/task").iterdir()))
        return cls(len(list(Path("/proc/self/fd").iterdir())), tasks, pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000)


def main(rounds: int) -> int:
    """Measure; 1 if a round failed or was slow."""
    port = free_port()
    seconds: list[float] = []
    uses: list[Use] = []
    with _camera(f"rtsp://127.0.0.1:{port}/main") as camera:
        server = serve(port)
        wait(lambda: camera.last_frame_ns is not None)
        for number in range(rounds):
            is_stall = number % 4 == 3
            server.send_signal(signal.SIGSTOP if is_stall else signal.SIGKILL)
            lost = _wait_for_loss(camera)
            reason = camera.loss.reason if camera.loss else ""
            kind = KINDS[number % len(KINDS)]
            if is_stall:
                server.send_signal(signal.SIGCONT)
            else:
                server.wait()
                server = serve(port, *kind)
            back = wait(lambda: camera.loss is None)
            uses.append(Use.now())
            seconds.append(PATIENCE_SECONDS if back is None else back)
            what = "stalled" if is_stall else f"killed, then {' '.join(kind) or 'as before'}"
            print(f"{number + 1:>2} {what}: lost {_in_words(lost)} ({reason}); back {_in_words(back)}", flush=True)
        server.kill()
        server.wait()
    print(f"back after {statistics.median(seconds):.1f} s (median), {max(seconds):.1f} s at most")
    print(f"{uses[2]} after the third round\n{uses[-1]} after the last")
    _refusals()
    return int(max(seconds) > WANTED_SECONDS)


def _refusals() -> None:
    """What a wrong password and a wrong path are called, and how often they are tried."""
    host = f"127.0.0.1:{(port := free_port())}"
    server = serve(port, "--login", "viewer:right")
    for address in (f"viewer:wrong@{host}/main", f"{host}/main", f"viewer:right@{host}/x"):
        with _camera(f"rtsp://{address}") as camera:
            _wait_for_loss(camera)
            time.sleep(5)
            print(f"{camera.loss.reason if camera.loss else '-'}: {camera.attempts} attempts in 5 s")
    with _camera(f"rtsp://viewer:right@{host}/main") as camera:
        print("the right password: pictures", _in_words(wait(lambda: camera.last_frame_ns is not None)))
    server.kill()
    server.wait()


@contextlib.contextmanager
def _camera(address: str) -> Iterator[Camera]:
    camera = Camera("north", open_source(CameraSettings(source=address)), FrameSlot())
    thread = threading.Thread(target=camera.run, daemon=True)
    thread.start()
    yield camera
    camera.close()
    thread.join(10)


def free_port() -> int:
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def serve(port: int, *options: str) -> "subprocess.Popen[str]":
    """A server that listens."""
    script = Path(__file__).with_name("rtsp_server.py")
    command = ["/usr/bin/python3", str(script), str(port), *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    if server.stdout.readline() != "ready\n":
        raise SystemExit("the server does not start; apt install python3-gi gir1.2-gst-rtsp-server-1.0 and plugins")
    return server


def wait(condition: Callable[[], bool]) -> float | None:
    """Seconds until it holds; None if it never does."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS:
        if condition():
            return time.monotonic() - began
        time.sleep(0.02)
    return None


def _wait_for_loss(camera: Camera) -> float | None:
    return wait(lambda: camera.loss is not None)


def _in_words(seconds: float | None) -> str:
    return "never" if seconds is None else f"after {seconds:.1f} s"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
