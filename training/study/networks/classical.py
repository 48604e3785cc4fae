"""The classical pipeline's network: two convolutions with pools, on ink of 28 × 28 pixels."""

import keras
from keras import layers

from training.shapes import ALPHABET
from training.study.crops import CropShape
from training.study.network import StudyNetwork
from training.study.networks.blocks import classifier, pixels_of
from training.study.tasks.characters import CharacterTask

_SIDE = 28


def build() -> keras.Model:
    """As such networks are usually shown for MNIST."""
    pixels, maps = pixels_of(_SIDE, _SIDE)
    for channels in (32, 64):
        maps = layers.MaxPooling2D(2)(layers.Conv2D(channels, 3, padding="same", activation="relu")(maps))
    features = layers.Dropout(0.3)(layers.Dense(128, activation="relu")(layers.Flatten()(maps)))
    return classifier(pixels, features, len(ALPHABET), "classical")


_SHAPE = CropShape(_SIDE, _SIDE, ink=True)

NETWORKS = (
    StudyNetwork("classical_handwriting", build, CharacterTask(_SHAPE, augmented=True, learns_from="handwriting")),
    StudyNetwork("classical_plates", build, CharacterTask(_SHAPE, augmented=True)),
)
