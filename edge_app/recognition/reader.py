"""Reads a strip with the LeNet network."""

import numpy as np

from edge_app.records import LogProbs, PlateStrip, Reading
from edge_app.tflite_model import Network


class PlateReader:
    """`read` turns a strip into CTC posteriors."""

    def __init__(self, model: Network) -> None:
        self._model = model
        self.alphabet = model.manifest.alphabet
        """The characters of all classes but the last, which is the CTC blank."""

    def read(self, strip: PlateStrip) -> Reading:
        """The evidence for every character at every step of the strip."""
        logits = self._model.run(strip.image_gray[None, :, :, None])["logits"][0]
        return Reading(log_softmax(logits), strip.sharpness, strip.line_height_px)


def log_softmax(logits: LogProbs) -> LogProbs:
    """Natural logarithm of the softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)
