"""Single characters: every score of a classifier, and what distortions cost."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.shapes import ALPHABET
from training.study.crops import DISTORTIONS, Characters, cut_characters, distort, show
from training.study.device import Predict
from training.study.scores.curves import by_class, confusion, mean, pairs, roc_and_pr, softmax
from training.study.store import Store
from training.study.tasks.characters import CharacterTask


def score(task: CharacterTask, store: Store, as_trained: Predict, as_converted: Predict) -> dict[str, Any]:
    """On the characters of Indian plates of the test split, and of foreign ones."""
    plates, setting = store.plates(), store.setting
    home, abroad = (
        cut_characters(plates, "test", country, most, store.seed)
        for country, most in (("home", setting.tested), ("abroad", max(50, setting.tested // 2)))
    )
    probabilities = _probabilities(task, as_trained, home)
    read = probabilities.argmax(axis=1)
    counts = confusion(home.classes, read)
    classes = by_class(counts)
    int8 = _share_right(task, as_converted, home)
    return {
        "accuracy": float((read == home.classes).mean()),
        **{name: mean(values) for name, values in classes.items()},
        "int8_accuracy": int8,
        "abroad_accuracy": _share_right(task, as_converted, abroad),
        "by_class": classes,
        "confusion": counts.tolist(),
        "pairs": pairs(counts),
        **roc_and_pr(home.classes, probabilities),
        "distorted": _distorted(task, as_converted, home, setting.distorted),
        "tested": len(home.classes),
    }


def _probabilities(task: CharacterTask, predict: Predict, characters: Characters) -> NDArray[np.float64]:
    """(n, 36), in the order of `ALPHABET`; none for a character that the network does not know."""
    own = softmax(predict(characters.shown(task.shape)[..., None])["logits"])
    known = np.zeros((len(own), len(ALPHABET)))
    known[:, [ALPHABET.index(each) for each in task.alphabet]] = own
    return known


def _share_right(task: CharacterTask, predict: Predict, characters: Characters) -> float:
    read = _probabilities(task, predict, characters).argmax(axis=1)
    return float((read == characters.classes).mean())


def _distorted(task: CharacterTask, predict: Predict, characters: Characters, most: int) -> dict[str, list[float]]:
    """The share of the first `most` characters that is right at each level of each distortion."""
    shares: dict[str, list[float]] = {}
    for kind, levels in DISTORTIONS.items():
        shares[kind] = []
        for level in levels:
            rng = np.random.default_rng(most)
            patches = [distort(rng, patch, kind, level) for patch in characters.patches[:most]]
            shown = np.stack([show(patch, task.shape) for patch in patches])[..., None]
            codes = predict(shown)["logits"].argmax(axis=1)
            read = np.array([ALPHABET.index(task.alphabet[code]) for code in codes])
            shares[kind].append(float((read == characters.classes[:most]).mean()))
    return shares
