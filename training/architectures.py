"""The networks: a MobileNetV2 that finds plates, a small one that aligns them, and a LeNet that reads them."""

import keras
from keras import layers

from training.shapes import ALIGNER_HEIGHT, ALIGNER_WIDTH, ALPHABET, READER_HEIGHT, READER_STEPS, READER_WIDTH

_NECK_CHANNELS = 56

_CONTEXT_STEPS = 7
"""So many steps of the sequence are seen together by each of the last convolutions: about a character to each side."""

_READER_CHANNELS = {"c1": 24, "c2": 48, "c3": 80, "c4": 128, "c5": 160}
"""Of the reader's convolutions: 185 million multiply-accumulates a strip in all."""

_ALIGNER_CONVOLUTIONS = ((12, 5, 2), (24, 3, 2), (27, 3, 1), (56, 3, 2), (56, 3, 1), (96, 3, 2), (96, 3, 1))
"""Channels, size and stride of the aligner's convolutions: 15 million multiply-accumulates a view in all."""
_ALIGNER_DENSE = 128

_NORM_MOMENTUM = 0.98
"""Of the batch statistics; Keras' 0.999 for this network is made for a hundred times as many steps."""


def plate_detector(width: float = 0.35) -> keras.Model:
    """MobileNetV2 (Sandler et al. 2018) with its strides 8, 16 and 32 fused at stride 8; no anchors.

    Input (rows, columns, 3), BGR, 0 to 255, both a multiple of 32. Outputs at a cell every 8 pixels: `score`
    (…, 1) logit of a plate's centre, `corners` (…, 8) as `edge_app.detection.corner_decoding` codes them, `lines`
    (…, 1) logit of a two-line plate.
    """
    pixels = layers.Input((None, None, 3), name="pixels")
    scaled = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    backbone = keras.applications.MobileNetV2(
        input_shape=(None, None, 3), alpha=width, include_top=False, weights=None, input_tensor=scaled
    )
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _NORM_MOMENTUM
    fine, middle, coarse = (
        backbone.get_layer(name).output
        for name in ("block_6_expand_relu", "block_13_expand_relu", "block_16_project_BN")
    )
    fused = _point(coarse, _NECK_CHANNELS, "coarse")
    for name, skip in (("middle", middle), ("fine", fine)):
        fused = layers.UpSampling2D(2, interpolation="bilinear", name=f"{name}_up")(fused)
        fused = layers.Add(name=f"{name}_add")([fused, _point(skip, _NECK_CHANNELS, name)])
        fused = _separable(fused, _NECK_CHANNELS, f"{name}_mix")
    found = _separable(fused, _NECK_CHANNELS, "found")
    shaped = _separable(fused, _NECK_CHANNELS, "shaped")
    rare = keras.initializers.Constant(-4.0)
    outputs = {
        "score": layers.Conv2D(1, 1, name="score", bias_initializer=rare)(found),
        "corners": layers.Conv2D(8, 1, name="corners")(shaped),
        "lines": layers.Conv2D(1, 1, name="lines")(shaped),
    }
    return keras.Model(pixels, outputs, name="plate_detector")


def plate_reader() -> keras.Model:
    """LeNet as a space-displacement network (LeCun et al. 1998, section VII) under a CTC layer (Graves et al. 2006).

    C3 and C4 are deepened by residual convolutions, C5 by such along the sequence only.
    Input (READER_HEIGHT, READER_WIDTH, 1), grey, 0 to 255. Output `logits` (READER_STEPS, 37): the classes of
    `ALPHABET` and the blank.
    """
    pixels = layers.Input((READER_HEIGHT, READER_WIDTH, 1), name="pixels")
    maps = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    for name, size, pool in (("c1", 5, (2, 2)), ("c2", 3, (2, 2)), ("c3", 3, (2, 1)), ("c4", 3, None)):
        maps = _convolve(maps, _READER_CHANNELS[name], size, name)
        if name in ("c3", "c4"):
            maps = _deepen(maps, 3, f"{name}_more")
        if pool:
            maps = layers.MaxPooling2D(pool, name=f"{name}_pool")(maps)
    maps = layers.ZeroPadding2D(((0, 0), (1, 1)), name="c5_pad")(maps)
    maps = layers.Conv2D(_READER_CHANNELS["c5"], (4, 3), use_bias=False, name="c5")(maps)
    maps = layers.ReLU(6, name="c5_relu")(layers.BatchNormalization(momentum=_NORM_MOMENTUM, name="c5_norm")(maps))
    for name in ("c5_wide", "c5_wider", "c5_widest"):
        maps = _deepen(maps, (1, _CONTEXT_STEPS), name)
    maps = layers.Dropout(0.2, name="f6_drop")(maps)
    maps = layers.Conv2D(len(ALPHABET) + 1, 1, name="f6", dtype="float32")(maps)
    logits = layers.Reshape((READER_STEPS, len(ALPHABET) + 1), name="logits", dtype="float32")(maps)
    return keras.Model(pixels, {"logits": logits}, name="plate_reader")


def plate_aligner() -> keras.Model:
    """A small network that regresses a plate's corners from a close view (as Jaderberg et al. 2015 align their input).

    Input (ALIGNER_HEIGHT, ALIGNER_WIDTH, 1), grey, 0 to 255. Outputs: `corners` (8) x and y of the four corners as
    shares of the view's width and height, `lines` (1) logit of a two-line plate, `plate` (1) logit of a plate.
    """
    pixels = layers.Input((ALIGNER_HEIGHT, ALIGNER_WIDTH, 1), name="pixels")
    maps = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    for index, (channels, size, stride) in enumerate(_ALIGNER_CONVOLUTIONS, 1):
        maps = _convolve(maps, channels, size, f"a{index}", stride)
    flat = layers.Flatten(name="flat")(maps)
    dense = layers.Dense(_ALIGNER_DENSE, use_bias=False, name="d1")(flat)
    dense = layers.ReLU(6, name="d1_relu")(layers.BatchNormalization(momentum=_NORM_MOMENTUM, name="d1_norm")(dense))
    outputs = {
        name: layers.Dense(count, name=name, dtype="float32")(dense)
        for name, count in (("corners", 8), ("lines", 1), ("plate", 1))
    }
    return keras.Model(pixels, outputs, name="plate_aligner")


def _convolve(maps: keras.KerasTensor, channels: int, size: int, name: str, stride: int = 1) -> keras.KerasTensor:
    maps = layers.Conv2D(channels, size, strides=stride, padding="same", use_bias=False, name=name)(maps)
    return layers.ReLU(6, name=f"{name}_relu")(
        layers.BatchNormalization(momentum=_NORM_MOMENTUM, name=f"{name}_norm")(maps)
    )


def _deepen(maps: keras.KerasTensor, size: int | tuple[int, int], name: str) -> keras.KerasTensor:
    """A residual convolution (He et al. 2016) that changes nothing before it has learned."""
    more = layers.Conv2D(maps.shape[-1], size, padding="same", use_bias=False, name=name)(maps)
    more = layers.BatchNormalization(momentum=_NORM_MOMENTUM, gamma_initializer="zeros", name=f"{name}_norm")(more)
    return layers.ReLU(6, name=f"{name}_relu")(layers.Add(name=f"{name}_add")([maps, more]))


def _point(maps: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    maps = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_point")(maps)
    return layers.BatchNormalization(momentum=_NORM_MOMENTUM, name=f"{name}_norm")(maps)


def _separable(maps: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    maps = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_depth")(maps)
    maps = layers.ReLU(6, name=f"{name}_depth_relu")(
        layers.BatchNormalization(momentum=_NORM_MOMENTUM, name=f"{name}_depth_norm")(maps)
    )
    maps = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_mix")(maps)
    return layers.ReLU(6, name=f"{name}_relu")(
        layers.BatchNormalization(momentum=_NORM_MOMENTUM, name=f"{name}_norm")(maps)
    )
