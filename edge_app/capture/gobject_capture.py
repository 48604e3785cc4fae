"""A GStreamer pipeline through PyGObject, for an OpenCV that was built without GStreamer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.errors import SourceError
from edge_app.printable import excerpt

PULL_SECONDS = 5
SINK_NAME = "pictures"


class GObjectCapture:
    """The part of `cv2.VideoCapture` that a stream uses.

    Raises:
        ImportError: PyGObject or GStreamer's introspection is missing.
        SourceError: the pipeline is wrong, or does not start.
    """

    def __init__(self, pipeline: str) -> None:
        import gi  # of the system; Jetsons and Raspberry Pis have it

        try:
            gi.require_version("Gst", "1.0")
        except ValueError as error:
            raise ImportError(str(error)) from error
        from gi.repository import GLib, Gst

        self._gst = Gst
        Gst.init(None)
        try:
            self._pipeline = Gst.parse_launch(pipeline)
        except GLib.Error as error:
            raise SourceError(f"the GStreamer pipeline is wrong: {excerpt(error.message, 200)}") from error
        self._sink = self._pipeline.get_by_name(SINK_NAME)
        if self._sink is None:
            raise SourceError(f"the GStreamer pipeline has no appsink of the name {SINK_NAME}; leave the appsink out")
        self._pipeline.set_state(Gst.State.PLAYING)

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        """The next picture; False if none comes in time or no more will.

        Raises:
            SourceError: the pipeline reports an error.
        """
        sample = self._sink.emit("try-pull-sample", PULL_SECONDS * self._gst.SECOND)
        if sample is None:
            self._raise_what_is_on_the_bus()
            return False, None
        shape: Any = sample.get_caps().get_structure(0)
        width, height = shape.get_value("width"), shape.get_value("height")
        buffer = sample.get_buffer()
        data = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.uint8)
        stride = data.size // height  # lines are padded to four bytes
        if stride < 3 * width:
            raise SourceError(
                "the GStreamer pipeline gives no BGR; let it end with `videoconvert ! video/x-raw,format=BGR`"
            )
        return True, data[: stride * height].reshape(height, stride)[:, : 3 * width].reshape(height, width, 3)

    def release(self) -> None:
        """Stop the pipeline."""
        self._pipeline.set_state(self._gst.State.NULL)

    def _raise_what_is_on_the_bus(self) -> None:
        message = self._pipeline.get_bus().pop_filtered(self._gst.MessageType.ERROR)
        if message is not None:
            error, _ = message.parse_error()
            raise SourceError(f"the GStreamer pipeline failed: {excerpt(error.message, 200)}")
