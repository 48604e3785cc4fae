"""The tutorials' network: convolutions of 32, 64 and 128 maps, dense 256, dropout a half."""

import keras
from keras import layers

from training.shapes import ALPHABET
from training.study.crops import CropShape
from training.study.learning import Learning
from training.study.network import StudyNetwork
from training.study.networks.blocks import classifier, pixels_of
from training.study.tasks.characters import CharacterTask

_SIDE = 48


def build() -> keras.Model:
    """Each convolution of 3 × 3 with a pool."""
    pixels, maps = pixels_of(_SIDE, _SIDE)
    for channels in (32, 64, 128):
        maps = layers.MaxPooling2D(2)(layers.Conv2D(channels, 3, padding="same", activation="relu")(maps))
    features = layers.Dropout(0.5)(layers.Dense(256, activation="relu")(layers.Flatten()(maps)))
    return classifier(pixels, features, len(ALPHABET), "tutorial")


_TASK = CharacterTask(CropShape(_SIDE, _SIDE), augmented=True)

NETWORKS = (
    StudyNetwork("tutorial_adam", build, _TASK),
    StudyNetwork("tutorial_rmsprop", build, _TASK, Learning(optimizer="rmsprop")),
)
