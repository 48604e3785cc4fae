"""LeNet with 20 and 50 maps and 500 units, on characters of 80 × 80 pixels."""

import keras
from keras import layers

from training.shapes import ALPHABET
from training.study.crops import CropShape
from training.study.network import StudyNetwork
from training.study.networks.blocks import classifier, pixels_of
from training.study.tasks.characters import CharacterTask

_SIDE = 80


def build() -> keras.Model:
    """Two convolutions of 5 × 5, each with a pool, and a dense layer that holds nearly all 10 million parameters."""
    pixels, maps = pixels_of(_SIDE, _SIDE)
    for channels in (20, 50):
        maps = layers.MaxPooling2D(2)(layers.Conv2D(channels, 5, padding="same", activation="relu")(maps))
    features = layers.Dense(500, activation="relu")(layers.Flatten()(maps))
    return classifier(pixels, features, len(ALPHABET), "lenet")


_SHAPE = CropShape(_SIDE, _SIDE)

NETWORKS = (
    StudyNetwork("lenet", build, CharacterTask(_SHAPE)),
    StudyNetwork("lenet_augmented", build, CharacterTask(_SHAPE, augmented=True)),
)
