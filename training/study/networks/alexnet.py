"""AlexNet, on characters of 80 × 80 pixels."""

import keras
from keras import layers

from training.shapes import ALPHABET
from training.study.crops import CropShape
from training.study.learning import Learning
from training.study.network import StudyNetwork
from training.study.networks.blocks import classifier, pixels_of
from training.study.tasks.characters import CharacterTask

_SIDE = 80


def build() -> keras.Model:
    """Krizhevsky et al. 2012 in one tower, without the response normalisation; 25 million parameters."""
    pixels, maps = pixels_of(_SIDE, _SIDE)
    maps = layers.Conv2D(96, 11, strides=4, padding="same", activation="relu")(maps)
    maps = layers.MaxPooling2D(3, 2)(maps)
    maps = layers.Conv2D(256, 5, padding="same", activation="relu")(maps)
    maps = layers.MaxPooling2D(3, 2)(maps)
    for channels in (384, 384, 256):
        maps = layers.Conv2D(channels, 3, padding="same", activation="relu")(maps)
    features = layers.Flatten()(layers.MaxPooling2D(2)(maps))
    for _ in range(2):
        features = layers.Dropout(0.5)(layers.Dense(4096, activation="relu")(features))
    return classifier(pixels, features, len(ALPHABET), "alexnet")


_SHAPE = CropShape(_SIDE, _SIDE)
_LEARNING = Learning(rate=3e-4)  # at 1e-3 it does not begin to learn


NETWORKS = (
    StudyNetwork("alexnet", build, CharacterTask(_SHAPE), _LEARNING),
    StudyNetwork("alexnet_augmented", build, CharacterTask(_SHAPE, augmented=True), _LEARNING),
)
