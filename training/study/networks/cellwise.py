"""The small network of 454,179 parameters, whose dense layer of 128 is applied to each cell."""

import keras
from keras import layers

from training.shapes import ALPHABET
from training.study.crops import CropShape
from training.study.network import StudyNetwork
from training.study.networks.blocks import classifier, pixels_of
from training.study.tasks.characters import CharacterTask

_WIDTH, _HEIGHT = 75, 100
_ALPHABET = ALPHABET.replace("O", "")
"""35 classes: on its authors' plates an O is a 0."""


def build() -> keras.Model:
    """Convolutions of 32, 64 and 128 maps with pools, then 77 cells of 128 features."""
    pixels, maps = pixels_of(_WIDTH, _HEIGHT)
    for channels, padding in ((32, "same"), (64, "valid"), (128, "valid")):
        maps = layers.MaxPooling2D(2)(layers.Conv2D(channels, 3, padding=padding, activation="relu")(maps))
    cells = layers.Dense(128, activation="relu")(maps)
    return classifier(pixels, layers.Flatten()(cells), len(_ALPHABET), "cellwise")


_SHAPE = CropShape(_WIDTH, _HEIGHT)

NETWORKS = (
    StudyNetwork("cellwise", build, CharacterTask(_SHAPE, alphabet=_ALPHABET)),
    StudyNetwork("cellwise_abroad", build, CharacterTask(_SHAPE, learns_from="abroad", alphabet=_ALPHABET)),
)
