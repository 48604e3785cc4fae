"""What learns rounded to int8 is the network itself, rounded as the converter will round it."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from converters.exports import all_exports
from converters.quantize import quantize
from edge_app.tflite_model import TfliteModel
from tests.converters.tiny import noise
from training.architectures import plate_detector
from training.quantization_aware import quantization_aware

READER = all_exports()[1]

_ZERO_POINT = np.float32(0.5)
"""Grey levels by which the file sees everything brighter: no whole number of them is the network's zero."""

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


def small_network() -> Any:
    """Every kind of layer that is rounded, with batch statistics that stay as they are."""
    keras.utils.set_random_seed(2)
    pixels = layers.Input((32, 192, 1), name="pixels")
    maps = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    maps = layers.ReLU(6)(still_norm()(layers.Conv2D(8, 5, strides=4, use_bias=False)(maps)))
    more = still_norm()(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(maps))
    maps = layers.ReLU(6)(layers.Add()([maps, more]))
    return keras.Model(pixels, {"logits": layers.Conv2D(37, 1, name="out")(maps)}, name="small")


def still_norm() -> Any:
    """A batch norm whose statistics are not learned."""
    norm = layers.BatchNormalization(moving_variance_initializer=keras.initializers.Constant(0.04))
    norm.trainable = False
    return norm


def calibration() -> list[NDArray[np.uint8]]:
    """Noise of every brightness."""
    return [(pixels // 3 + 40 * index).astype(np.uint8) for index, pixels in enumerate(noise(READER.input))]


def test_the_rounded_network_says_what_the_int8_file_says() -> None:
    network = small_network()
    rounded = quantization_aware(network)
    seen = [np.zeros((1, 32, 192, 1)), np.full((1, 32, 192, 1), 255), *calibration()]
    rounded(np.concatenate(seen) + _ZERO_POINT, training=True)

    int8 = TfliteModel.of(quantize(network, calibration()), READER.manifest())

    pixels = calibration()[1]
    told, told_rounded = (np.asarray(each(pixels + _ZERO_POINT)["logits"]) for each in (network, rounded))
    told_int8 = int8.run(pixels)["logits"]
    assert np.abs(told_rounded - told_int8).mean() < 0.5 * np.abs(told - told_int8).mean()


def test_what_the_rounded_network_learns_the_network_has_learned() -> None:
    network = small_network()
    rounded = quantization_aware(network)

    assert [id(weight) for weight in rounded.trainable_variables] == [
        id(weight) for weight in network.trainable_variables
    ]
    assert {weight.name for weight in rounded.non_trainable_variables} >= {"least", "largest"}


def test_nothing_is_rounded_between_what_the_converter_makes_one() -> None:
    rounded = {layer.name for layer in quantization_aware(plate_detector()).layers if layer.name.endswith("_maps")}

    assert {"Conv1_relu_maps", "block_2_project_BN_maps", "block_2_add_maps", "score_maps"} <= rounded
    assert not rounded & {"Conv1_maps", "bn_Conv1_maps", "block_2_expand_maps", "block_2_expand_BN_maps"}
