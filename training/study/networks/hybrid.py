"""Features of the picture by convolutions and of the read text by an LSTM, joined in a dense layer of 64."""

import keras
from keras import layers

from training.shapes import READER_HEIGHT, READER_WIDTH
from training.study.learning import Learning, Stage
from training.study.network import StudyNetwork
from training.study.networks.blocks import pixels_of
from training.study.tasks.hybrid import HYBRID_HEIGHT, TEXT_ROWS, HybridTask
from training.study.texts import PLACES, SYMBOLS

_PICTURE_FEATURES, _UNITS, _EMBEDDED = 48, 128, 32


def build(unrolled: bool = False) -> keras.Model:
    """Three outputs: the joined `logits`, and those of each half alone, `picture` and `text`, to be trained apart."""
    pixels, scaled = pixels_of(READER_WIDTH, HYBRID_HEIGHT)
    picture = _picture(layers.Cropping2D(((0, TEXT_ROWS), (0, 0)), name="cnn_strip")(scaled))
    rows = layers.Cropping2D(((READER_HEIGHT, 0), (0, 0)), name="text_rows")(scaled)
    rows = layers.Reshape((TEXT_ROWS * READER_WIDTH, 1), name="text_row")(rows)
    rows = layers.Cropping1D((0, TEXT_ROWS * READER_WIDTH - PLACES * SYMBOLS), name="text_places")(rows)
    steps = layers.Reshape((PLACES, SYMBOLS), name="text")(rows)
    steps = layers.Dense(_EMBEDDED, use_bias=False, name="text_embedding")(steps)
    text = layers.LSTM(_UNITS, return_sequences=True, unroll=unrolled, name="text_lstm")(steps)
    joined = layers.Dense(64, activation="relu", name="joined")(layers.Concatenate(name="both")([picture, text]))
    outputs = {
        "logits": layers.Dense(SYMBOLS, name="joined_logits")(joined),
        "picture": layers.Dense(SYMBOLS, name="cnn_logits")(picture),
        "text": layers.Dense(SYMBOLS, name="text_logits")(text),
    }
    return keras.Model(pixels, outputs, name="hybrid")


def _picture(maps: keras.KerasTensor) -> keras.KerasTensor:
    """Features for each place of the text."""
    for index, (channels, pool) in enumerate(((24, (2, 2)), (48, (2, 2)), (64, (2, 2)), (64, (4, 2)))):
        maps = layers.Conv2D(channels, 3, padding="same", use_bias=False, name=f"cnn_{index}")(maps)
        maps = layers.BatchNormalization(momentum=0.95, name=f"cnn_{index}_norm")(maps)
        maps = layers.MaxPooling2D(pool, name=f"cnn_{index}_pool")(layers.ReLU(6, name=f"cnn_{index}_relu")(maps))
    flat = layers.Flatten(name="cnn_flat")(maps)
    features = layers.Dense(PLACES * _PICTURE_FEATURES, activation="relu", name="cnn_places")(flat)
    return layers.Reshape((PLACES, _PICTURE_FEATURES), name="cnn_features")(features)


def for_device() -> keras.Model:
    """The same without a loop, and with the joined output alone."""
    model = build(unrolled=True)
    return keras.Model(model.input, {"logits": model.output["logits"]}, name="hybrid")


_STAGES = (
    Stage("apart", frozen=("joined",)),
    Stage("frozen", 0.25, frozen=("cnn_", "text_logits")),
    Stage("together", 0.5, frozen=("cnn_logits", "text_logits")),
)
"""A head that a stage's loss does not see does not learn in it."""

NETWORKS = (
    StudyNetwork("hybrid", build, HybridTask(), Learning(rate=1e-3, longer=1.5, stages=_STAGES), for_device=for_device),
)
