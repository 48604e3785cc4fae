"""The box of a plate regressed from the features of ResNet50 (He et al. 2016)."""

import keras
from keras import layers

from training.study.learning import Learning
from training.study.network import StudyNetwork
from training.study.networks.blocks import pixels_of
from training.study.tasks.detection import OneBoxTask

_TASK = OneBoxTask()
_MOMENTUM = 0.9
"""Of the batch statistics: an epoch has few steps."""


def build() -> keras.Model:
    """ResNet50, flattened, and a dense layer of four edges from 0 to 1."""
    pixels, maps = pixels_of(_TASK.width, _TASK.height, 3)
    backbone = keras.applications.ResNet50(
        input_shape=(_TASK.height, _TASK.width, 3), include_top=False, weights=None, input_tensor=maps
    )
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _MOMENTUM
    box = layers.Dense(4, activation="sigmoid", name="box")(layers.Flatten()(backbone.output))
    return keras.Model(pixels, {"box": box}, name="box_regression")


NETWORKS = (StudyNetwork("box_regression", build, _TASK, Learning(batch_size=16, rate=2e-4, longer=2)),)
