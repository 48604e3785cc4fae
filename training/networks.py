"""Float networks: checkpoints as trained, and the float twin of the device's model."""

import tempfile
from pathlib import Path
from typing import Any

from edge_app.errors import ModelError
from edge_app.tflite_model import InputShape, ModelManifest, Network, TfliteModel
from training.exports import all_exports, checkpoint_of

Networks = tuple[Network, Network, Network]
"""Detector, aligner and reader."""

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


def save_for_converter(model: KerasModel, directory: str, pixel_type: str) -> None:
    """Save a network of fixed size as the SavedModel that TensorFlow's converter takes."""
    import tensorflow as tf

    shape = (1, *model.input.shape[1:])

    @tf.function(input_signature=[tf.TensorSpec(shape, pixel_type, name="pixels")])  # type: ignore[untyped-decorator]
    def serve(pixels: Any) -> Any:
        return model(tf.cast(pixels, tf.float32), training=False)

    module = tf.Module()
    module.variables_kept = [weight.value for weight in model.weights]
    module.serve = serve
    tf.saved_model.save(module, directory, signatures={"serving_default": serve})


def float_twin(model: KerasModel, manifest: ModelManifest) -> TfliteModel:
    """A Keras network of fixed size in the device's runtime and in 32-bit floats, so that every stage runs on it."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as directory:
        save_for_converter(model, directory, "uint8")
        converter = tf.lite.TFLiteConverter.from_saved_model(directory, signature_keys=["serving_default"])
        try:
            return TfliteModel.of(bytes(converter.convert()), manifest)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{model.name} cannot be run in the device's runtime: {error}") from error


def networks_as_converted(models: Path) -> Networks:
    """The int8 networks of a folder, in the order of a plate's way, in the device's runtime."""
    detector, aligner, reader = (
        TfliteModel.load(models / f"{export.name}.tflite", export.kind) for export in all_exports()
    )
    return detector, aligner, reader


def networks_as_trained(models: Path) -> Networks:
    """The float networks that those were made from."""
    detector, aligner, reader = (
        float_twin(
            load_checkpoint(checkpoint_of(export, None, models), export.input),
            ModelManifest.read(models / f"{export.name}.json"),  # so that both run at the same working point
        )
        for export in all_exports()
    )
    return detector, aligner, reader
