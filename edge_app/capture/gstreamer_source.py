"""Any GStreamer pipeline, such as a Jetson's `nvarguscamerasrc`."""

import cv2

from edge_app.camera_settings import CameraSettings
from edge_app.capture.gobject_capture import GObjectCapture
from edge_app.capture.opencv_stream import Capture, OpenCvStream
from edge_app.errors import SourceError

SINK = "videoconvert ! video/x-raw,format=BGR ! appsink name=pictures drop=true max-buffers=1 sync=false"


def open_gstreamer(camera: CameraSettings, pipeline: str) -> OpenCvStream:
    """Make the source of a pipeline; one that does not end in an `appsink` is given one."""
    what = "the GStreamer pipeline"
    return OpenCvStream(camera.name, what, lambda: _open(complete(pipeline)), lambda _: SourceError(f"{what} {_HINT}"))


_HINT = "gives no picture; try it with gst-launch-1.0"


def _open(pipeline: str) -> Capture:
    if cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        return cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)
    try:
        return GObjectCapture(pipeline)
    except ImportError as error:
        raise SourceError(
            f"gst: this OpenCV is built without GStreamer, and PyGObject cannot be used ({error}):"
            " apt install python3-gi gir1.2-gstreamer-1.0, and let the service see the system's packages"
        ) from error


def complete(pipeline: str) -> str:
    """Add the sink that hands pictures to OpenCV, if the pipeline has none."""
    return pipeline if "appsink" in pipeline else f"{pipeline} ! {SINK}"
