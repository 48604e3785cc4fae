"""Two recurrent layers of 128 and a dense layer of 64 that correct a text place by place."""

from functools import partial

import keras
from keras import layers

from training.study.learning import Learning
from training.study.network import StudyNetwork
from training.study.tasks.correction import CorrectionTask
from training.study.texts import PLACES, SYMBOLS

_UNITS, _EMBEDDED = 128, 32


def build(kind: str = "lstm", unrolled: bool = False) -> keras.Model:
    """An embedding of the symbols, the layers of `kind` (lstm or gru), and the symbols again."""
    recurrent = {"lstm": layers.LSTM, "gru": layers.GRU}[kind]
    pixels = layers.Input((PLACES, SYMBOLS, 1), name="pixels")
    steps = layers.Reshape((PLACES, SYMBOLS))(layers.Rescaling(1 / 255)(pixels))
    steps = layers.Dense(_EMBEDDED, use_bias=False, name="embedding")(steps)
    for _ in range(2):
        steps = recurrent(_UNITS, return_sequences=True, unroll=unrolled)(steps)
    steps = layers.Dense(64, activation="relu")(steps)
    logits = layers.Dense(SYMBOLS, name="logits")(steps)
    return keras.Model(pixels, {"logits": logits}, name=f"corrector_{kind}")


NETWORKS = tuple(
    StudyNetwork(
        f"corrector_{kind}",
        partial(build, kind),
        CorrectionTask(),
        Learning(batch_size=32, rate=2e-3, longer=4),
        for_device=partial(build, kind, unrolled=True),
    )
    for kind in ("lstm", "gru")
)
