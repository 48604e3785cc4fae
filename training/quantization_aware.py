"""A network that feels in training what int8 will do to it (Jacob et al. 2018, section 3).

Weights and maps are rounded as `converters.quantize` will have them rounded: weights by channel and symmetric, maps by
the least and the largest value seen. The gradient passes the rounding as if it were not there.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers

_RANGE_MOMENTUM = 0.99
"""Of the running least and largest value of a map."""

_ROUNDED_MAPS = (layers.Conv2D, layers.DepthwiseConv2D, layers.BatchNormalization, layers.Add, layers.ReLU)
_FUSED = (layers.BatchNormalization, layers.ReLU)
"""The converter makes these one with what comes before: nothing is rounded between."""


def quantization_aware(model: keras.Model) -> keras.Model:
    """The same network with the same weights, its kernels and maps rounded to 8 bits: to train in place of `model`."""

    def of(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            return _RoundedKernel(layer, name=f"{layer.name}_rounded")
        return layer

    fused_away = {
        layer.name
        for layer in model.layers
        if any(isinstance(node.operation, _FUSED) for node in layer._outbound_nodes)
    }

    def call(layer: keras.Layer, *inputs: Any, **options: Any) -> Any:
        maps = layer(*inputs, **options)
        origin = layer.layer if isinstance(layer, _RoundedKernel) else layer
        if not isinstance(origin, _ROUNDED_MAPS) or origin.name in fused_away:
            return maps
        return _RoundedMaps(name=f"{origin.name}_maps")(maps)

    return keras.models.clone_model(model, clone_function=of, call_function=call)


class _RoundedKernel(layers.Layer):  # type: ignore[misc]
    """A convolution as it is with its kernel in int8, a scale for each channel that it makes."""

    def __init__(self, layer: keras.Layer, **options: Any) -> None:
        super().__init__(**options)
        self.layer = layer

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        variable = self.layer.variables[0]
        kernel = tf.convert_to_tensor(variable)
        by_channel = kernel[..., 0] if isinstance(self.layer, layers.DepthwiseConv2D) else kernel
        largest = tf.stop_gradient(tf.reduce_max(tf.abs(by_channel), axis=list(range(len(by_channel.shape) - 1))))
        rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
            by_channel, -largest, largest, narrow_range=True
        )
        with keras.StatelessScope([(variable, tf.reshape(rounded, kernel.shape))]):
            return self.layer(inputs)


class _RoundedMaps(layers.Layer):  # type: ignore[misc]
    """Maps in int8, between the running least and largest value, zero always among them."""

    def build(self, _: Any) -> None:
        for name in ("least", "largest"):
            setattr(self, name, self.add_weight(shape=(), initializer="zeros", trainable=False, name=name))

    def call(self, maps: tf.Tensor, training: bool = False) -> tf.Tensor:
        if training:
            for running, now in ((self.least, tf.reduce_min(maps)), (self.largest, tf.reduce_max(maps))):
                unset = tf.equal(running, 0)
                running.assign(tf.where(unset, now, _RANGE_MOMENTUM * running + (1 - _RANGE_MOMENTUM) * now))
        return tf.quantization.fake_quant_with_min_max_vars(
            maps, tf.minimum(self.least, 0), tf.maximum(self.largest, 0.001)
        )
