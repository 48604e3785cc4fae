"""What many networks of the study begin and end with."""

import keras
from keras import layers


def pixels_of(width: int, height: int, channels: int = 1) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The input, 0 to 255, and the same from -1 to 1."""
    pixels = layers.Input((height, width, channels), name="pixels")
    return pixels, layers.Rescaling(1 / 127.5, offset=-1)(pixels)


def classifier(pixels: keras.KerasTensor, features: keras.KerasTensor, classes: int, name: str) -> keras.Model:
    """A network that tells `classes` apart."""
    logits = layers.Dense(classes, name="logits")(features)
    return keras.Model(pixels, {"logits": logits}, name=name)
