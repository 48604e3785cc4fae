"""VGG with nine layers, on characters of 32 × 32 pixels."""

import keras
from keras import layers

from training.shapes import ALPHABET
from training.study.crops import CropShape
from training.study.network import StudyNetwork
from training.study.networks.blocks import classifier, pixels_of
from training.study.tasks.characters import CharacterTask

_SIDE = 32


def build() -> keras.Model:
    """Six convolutions in three blocks and three dense layers; 2.25 million parameters."""
    pixels, maps = pixels_of(_SIDE, _SIDE)
    for first, second in ((32, 64), (128, 128), (256, 256)):
        for channels in (first, second):
            maps = layers.Conv2D(channels, 3, padding="same", use_bias=False)(maps)
            maps = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(maps))
        maps = layers.MaxPooling2D(2)(maps)
    features = layers.Flatten()(maps)
    for _ in range(2):
        features = layers.Dropout(0.3)(layers.Dense(256, activation="relu")(features))
    return classifier(pixels, features, len(ALPHABET), "vgg9")


_SHAPE = CropShape(_SIDE, _SIDE)

NETWORKS = (
    StudyNetwork("vgg9", build, CharacterTask(_SHAPE)),
    StudyNetwork("vgg9_augmented", build, CharacterTask(_SHAPE, augmented=True)),
)
