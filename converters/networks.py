"""Float networks: checkpoints as trained, and the float twin of the device's model."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.errors import ModelError
from edge_app.tflite_model import InputShape, ModelManifest

KerasModel = Any
"""A `keras.Model`; Keras carries no types."""


def load_checkpoint(path: Path, shape: InputShape) -> KerasModel:
    """The network of a `.keras` file at a fixed input size, without its optimizer."""
    import keras

    try:
        model = keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{path}: not a readable Keras checkpoint ({error}); train again") from error
    return at_size(model, shape)


def at_size(model: KerasModel, shape: InputShape) -> KerasModel:
    """A copy of a fully convolutional network whose every shape is known."""
    import keras

    pixels = keras.Input((shape.height, shape.width, shape.channels), name="pixels")
    try:
        fixed = keras.models.clone_model(model, input_tensors=pixels, clone_function=_for_device)
        fixed.set_weights(model.get_weights())
    except ValueError as error:
        raise ModelError(
            f"{model.name} takes {model.input.shape[1:]}, not {shape.height}×{shape.width}×{shape.channels}"
        ) from error
    return fixed


def _for_device(layer: KerasModel) -> KerasModel:
    """The layer again; doubling by repetition, which becomes four slow operations, becomes one nearest resize."""
    import keras

    if not isinstance(layer, keras.layers.UpSampling2D) or layer.interpolation != "nearest":
        return type(layer).from_config(layer.get_config())
    rows, columns = layer.size
    return keras.layers.Lambda(_enlarge, arguments={"rows": rows, "columns": columns}, name=layer.name)


def _enlarge(maps: KerasModel, rows: int, columns: int) -> KerasModel:
    import tensorflow as tf

    return tf.image.resize(maps, (maps.shape[1] * rows, maps.shape[2] * columns), method="nearest")


class FloatModel:
    """A Keras network behind the interface of `TfliteModel`, so that every stage runs on either."""

    def __init__(self, model: KerasModel, manifest: ModelManifest) -> None:
        import tensorflow as tf

        shape = manifest.input
        pixels = tf.TensorSpec((1, shape.height, shape.width, shape.channels), tf.float32)
        self.manifest = manifest
        self._call = tf.function(lambda image: model(image, training=False), input_signature=[pixels])

    def run(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Outputs by name for pixels (1, height, width, channels)."""
        outputs = self._call(pixels.astype(np.float32))
        return {name: np.asarray(values, np.float32) for name, values in outputs.items()}
