"""What the real picamera2 needs to run on libcamera's virtual pipeline, and a way to stall or unplug it."""

import queue
import threading
import time
from typing import Any

import picamera2.picamera2 as module
from picamera2 import Picamera2
from picamera2.allocators import LibcameraAllocator
from picamera2.allocators.allocator import Allocator

from edge_app.camera_settings import CameraSettings

module.DmaAllocator = Allocator  # the usual one needs /dev/dma_heap
Picamera2._get_raw_modes = lambda _self: [{"format": "SBGGR10_CSI2P", "size": (1280, 720)}]  # it has no raw stream


class Switch:
    """The cable: in, out, or in without a picture."""

    def __init__(self) -> None:
        self.flows, self.is_plugged = threading.Event(), True
        self.flows.set()


class PacedCamera:
    """Hands requests on at a camera's pace: the virtual pipeline completes each at once.

    The controls of a request are noted, for the virtual camera has none.
    """

    def __init__(self, camera: Any, frames_per_second: float, switch: Switch) -> None:
        self._camera, self._seconds, self._switch = camera, 1 / frames_per_second, switch
        self._requests: queue.Queue[tuple[int, Any]] = queue.Queue()
        self._run = 0
        threading.Thread(target=self._hand_on, daemon=True).start()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._camera, name)

    def __eq__(self, other: object) -> bool:
        return bool(self._camera == getattr(other, "_camera", other))

    __hash__ = None  # type: ignore[assignment]

    def queue_request(self, request: Any) -> None:
        """Later."""
        self._requests.put((self._run, request))

    def stop(self) -> Any:
        """What waits is forgotten."""
        self._run += 1
        return self._camera.stop()

    def _hand_on(self) -> None:
        due = time.monotonic()
        while True:
            run, request = self._requests.get()
            self._switch.flows.wait()
            due = max(due + self._seconds, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
            if run == self._run:
                self._camera.queue_request(request)


def opener(switch: Switch, frames_per_second: float = 30.0) -> Any:
    """As `open_limited` of the source."""

    def open_camera(number: int, _settings: CameraSettings) -> Any:
        if not switch.is_plugged:
            raise IndexError("list index out of range")
        camera = Picamera2(number)
        camera.allocator = LibcameraAllocator(camera.camera)
        camera.camera = PacedCamera(camera.camera, frames_per_second, switch)
        return camera

    return open_camera
