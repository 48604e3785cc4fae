"""Full int8 quantization: uint8 pixels in, int8 inside with per-channel weights, int8 outputs."""

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.errors import ModelError
from training.networks import save_for_converter

Pixels = NDArray[np.uint8]
"""(1, height, width, channels)."""


def quantize(model: Any, calibration: Sequence[Pixels]) -> bytes:
    """The TFLite file of a Keras network of fixed size, its ranges taken from `calibration`.

    The same network and pixels give the same bytes. A leading `Rescaling` layer is not converted: it becomes the scale
    and zero point of the input, so pixels go in as they are and the rescaling costs nothing.
    """
    import tensorflow as tf

    rescaling, body = _split_rescaling(model)

    def representative_dataset() -> Iterator[dict[str, NDArray[np.float32]]]:
        for pixels in (*_extremes(calibration[0]), *calibration):
            yield {"pixels": np.asarray(rescaling(pixels.astype(np.float32)), np.float32)}

    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        # The converter's own calibration still uses the interpreter that TensorFlow has deprecated.
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter is deprecated")
        save_for_converter(body, directory, "float32")
        converter = tf.lite.TFLiteConverter.from_saved_model(directory, signature_keys=["serving_default"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative_dataset
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.int8
        try:
            return bytes(converter.convert())
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{model.name} cannot be converted to int8: {error}") from error


def _split_rescaling(model: Any) -> tuple[Any, Any]:
    import keras

    first = model.layers[1]
    if not isinstance(first, keras.layers.Rescaling):
        return lambda values: values, model
    # Named, for automatic names count up and would be written into the file.
    return first, keras.Model(first.output, model.output, name=model.name)


def _extremes(example: Pixels) -> tuple[Pixels, Pixels]:
    """A black and a white picture, so that the input's range covers every pixel value."""
    return np.zeros_like(example), np.full_like(example, 255)
