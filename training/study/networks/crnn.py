"""Convolutions, an LSTM in both directions, and a CTC layer over the strip (Shi et al. 2015)."""

import keras
from keras import layers

from training.shapes import ALPHABET, READER_HEIGHT, READER_WIDTH
from training.study.learning import Learning
from training.study.network import StudyNetwork
from training.study.networks.blocks import pixels_of
from training.study.tasks.strips import StripTask

_UNITS = 64


def build(unrolled: bool = False) -> keras.Model:
    """64 steps of 4 pixels; `unrolled`: the LSTM as plain layers, which int8 needs."""
    pixels, maps = pixels_of(READER_WIDTH, READER_HEIGHT)
    for channels, pool in ((24, (2, 2)), (48, (2, 2)), (64, (2, 1)), (96, (4, 1))):
        maps = layers.Conv2D(channels, 3, padding="same", use_bias=False)(maps)
        maps = layers.ReLU(6)(layers.BatchNormalization(momentum=0.95)(maps))
        maps = layers.MaxPooling2D(pool)(maps)
    steps = layers.Reshape(maps.shape[2:])(maps)
    steps = layers.Bidirectional(layers.LSTM(_UNITS, return_sequences=True, unroll=unrolled))(steps)
    logits = layers.Dense(len(ALPHABET) + 1, name="logits")(steps)
    return keras.Model(pixels, {"logits": logits}, name="crnn")


def for_device() -> keras.Model:
    """The same network without a loop."""
    return build(unrolled=True)


NETWORKS = (
    StudyNetwork("crnn", build, StripTask(), Learning(batch_size=16, rate=1e-3, longer=2), for_device=for_device),
)
