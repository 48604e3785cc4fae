"""A network as the device runs it: int8, in the device's own runtime, with its time and its memory."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.quantize import quantize
from edge_app.tflite_model import InputShape, ModelManifest, TfliteModel
from training.repository import REPOSITORY
from training.study.learning import Pixels
from training.study.network import KerasModel, StudyNetwork

Outputs = dict[str, NDArray[np.float32]]
"""By name, a row for each picture."""
Predict = Callable[[Pixels], Outputs]
"""Runs a network over pictures (n, rows, columns, channels), 0 to 255."""

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run costs on this machine, with one thread."""

    milliseconds: float
    """Of a run: the tenth percentile, for what else the machine does only slows it."""
    peak_megabytes: float
    """By which the process grew at most."""


def int8_of(network: StudyNetwork, model: KerasModel, calibration: list[Pixels]) -> bytes:
    """The TFLite file."""
    return quantize(straightened(network, model), calibration)


def straightened(network: StudyNetwork, model: KerasModel) -> KerasModel:
    """The network in the form that is converted; one with a loop is built again without it."""
    if network.for_device is None:
        return model
    straight = network.for_device()
    taught, own = ({each.name: each for each in one.layers if each.weights} for one in (model, straight))
    # Layers without a name of their own are numbered, and stand in the same order.
    names = own if own.keys() <= taught.keys() else taught
    for name, layer in zip(names, own.values(), strict=True):
        layer.set_weights(taught[name].get_weights())
    return straight


def float_predict(model: KerasModel) -> Predict:
    """The network as it was trained."""
    from keras import ops

    def predict(pixels: Pixels) -> Outputs:
        parts = [
            {name: ops.convert_to_numpy(value) for name, value in model(part, training=False).items()}
            for part in _parts(pixels.astype(np.float32))
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return predict


def int8_predict(model: TfliteModel) -> Predict:
    """The network as the device runs it, a picture at a time."""

    def predict(pixels: Pixels) -> Outputs:
        rows = [model.run(picture[None]) for picture in pixels]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    return predict


def _parts(pixels: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [pixels[start : start + _AT_ONCE] for start in range(0, len(pixels), _AT_ONCE)]


def load_int8(content: bytes, name: str = "network") -> TfliteModel:
    """A TFLite file in the device's runtime."""
    return TfliteModel.of(content, ModelManifest(name, "1.0.0", "study", InputShape(0, 0, 0, "GRAY"), ""))


def measure(path: Path) -> Cost:
    """The cost of a TFLite file, in a process of its own."""
    command = [sys.executable, "-m", "training.study.measure", str(path)]
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return Cost(**json.loads(found.stdout))
