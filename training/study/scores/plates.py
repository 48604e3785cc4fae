"""Whole plates: a text for each strip of the test split."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_app.evaluation.scoring import edit_distance, score_reading
from training.shapes import ALPHABET
from training.study.device import Predict
from training.study.ocr import READERS, reads_of
from training.study.plates import HOME
from training.study.scores.curves import by_class, confusion, mean, pairs
from training.study.store import Store
from training.study.tasks.hybrid import packed
from training.study.texts import as_pixels, greedy, text_of


def strip_score(store: Store, as_trained: Predict, as_converted: Predict) -> dict[str, Any]:
    """Of a network with a CTC layer."""
    strips = np.asarray(store.plates().narrow[tested(store)])[..., None]
    reads = [[greedy(logits) for logits in predict(strips)["logits"]] for predict in (as_trained, as_converted)]
    return read_scores(store, *reads)


def hybrid_score(store: Store, as_trained: Predict, as_converted: Predict) -> dict[str, Any]:
    """Of the network that takes a strip and our read of it."""
    given = [read for read, _ in reads_of(store, "test", store.setting.tested)["ours"]]
    pixels = packed(np.asarray(store.plates().narrow[tested(store)]), given)
    reads = [
        [text_of(codes) for codes in predict(pixels)["logits"].argmax(axis=-1)]
        for predict in (as_trained, as_converted)
    ]
    return read_scores(store, *reads)


def correction_score(store: Store, as_trained: Predict, as_converted: Predict) -> dict[str, Any]:
    """Of a corrector, on our reads, beside what they were before; and on Tesseract's, where it is installed."""

    def corrected(predict: Predict, reads: list[str]) -> list[str]:
        return [text_of(codes) for codes in predict(as_pixels(reads))["logits"].argmax(axis=-1)] if reads else []

    pairs_of = reads_of(store, "test", store.setting.tested)
    figures: dict[str, Any] = {}
    for reader in READERS:
        before, truths = [read for read, _ in pairs_of[reader]], [truth for _, truth in pairs_of[reader]]
        after = {name: corrected(predict, before) for name, predict in (("", as_trained), ("int8_", as_converted))}
        figures[reader] = {
            "before": _shares(before, truths),
            **{f"{name}after": _shares(texts, truths) for name, texts in after.items()},
        }
    mine = figures["ours"]
    return {
        "accuracy": mine["after"]["characters"],
        "exact": mine["after"]["exact"],
        "int8_accuracy": mine["int8_after"]["characters"],
        "int8_exact": mine["int8_after"]["exact"],
        "readers": figures,
        "tested": len(pairs_of["ours"]),
    }


def tested(store: Store) -> list[int]:
    """The numbers of the plates that are read."""
    return [int(number) for number in store.plates().of("test")[: store.setting.tested]]


def read_scores(store: Store, read: Sequence[str], converted: Sequence[str]) -> dict[str, Any]:
    """Of the texts that the float network and the int8 network read on the plates of `tested`."""
    numbers = tested(store)
    truths = store.plates().texts(np.array(numbers))
    home = [store.plates().facts[number]["country"] == HOME for number in numbers]
    counts = characters_of(read, truths)
    classes = by_class(counts)
    shares, int8 = _shares(read, truths), _shares(converted, truths)
    return {
        "accuracy": shares["characters"],
        "exact": shares["exact"],
        **{name: mean(values) for name, values in classes.items()},
        "int8_accuracy": int8["characters"],
        "int8_exact": int8["exact"],
        "home_exact": _exact(converted, truths, home),
        "abroad_exact": _exact(converted, truths, [not each for each in home]),
        "by_class": classes,
        "confusion": counts.tolist(),
        "pairs": pairs(counts),
        "tested": len(truths),
    }


def characters_of(read: Sequence[str], truths: Sequence[str]) -> Any:
    """Which character was read as which, of the texts that were read with the right length."""
    same = [(one, other) for one, other in zip(read, truths, strict=True) if len(one) == len(other)]
    codes = [[ALPHABET.index(each) for pair in same for each in pair[side]] for side in (1, 0)]
    return confusion(*(np.array(each, np.int64) for each in codes))


def _shares(read: Sequence[str], truths: Sequence[str]) -> dict[str, float]:
    score = score_reading(list(zip(read, truths, strict=True)))
    return {"exact": score.exact, "characters": score.character_accuracy} if score else {"exact": 0.0, "characters": 0}


def _exact(read: Sequence[str], truths: Sequence[str], chosen: Sequence[bool]) -> float:
    right = [edit_distance(one, other) == 0 for one, other, of in zip(read, truths, chosen, strict=True) if of]
    return float(np.mean(right)) if right else 0.0
