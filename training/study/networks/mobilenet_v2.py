"""MobileNetV2 of full width with a dense layer of 128, on characters of 80 × 80 pixels."""

import keras
from keras import layers

from training.shapes import ALPHABET
from training.study.crops import CropShape
from training.study.network import StudyNetwork
from training.study.networks.blocks import classifier, pixels_of
from training.study.tasks.characters import CharacterTask

_SIDE = 80
_MOMENTUM = 0.95
"""Of the batch statistics: Keras' 0.999 is made for a hundred times as many steps."""


def build() -> keras.Model:
    """Sandler et al. 2018, for grey pictures; 2.43 million parameters."""
    pixels, maps = pixels_of(_SIDE, _SIDE)
    backbone = keras.applications.MobileNetV2(
        input_shape=(_SIDE, _SIDE, 1), include_top=False, weights=None, input_tensor=maps
    )
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _MOMENTUM
    features = layers.GlobalAveragePooling2D()(backbone.output)
    features = layers.Dense(128, activation="relu")(features)
    return classifier(pixels, features, len(ALPHABET), "mobilenet_v2")


_SHAPE = CropShape(_SIDE, _SIDE)
_FEW = CharacterTask(_SHAPE, augmented=True, learns_from="abroad", few=True)

NETWORKS = (
    StudyNetwork("mobilenet_v2", build, CharacterTask(_SHAPE)),
    StudyNetwork("mobilenet_v2_augmented", build, CharacterTask(_SHAPE, augmented=True)),
    StudyNetwork("transfer_pretrained", build, _FEW, begins_with="mobilenet_v2_augmented"),
    StudyNetwork("transfer_scratch", build, _FEW),
)
