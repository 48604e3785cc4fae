"""CTC against adding up every path there is."""

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_app.recognition import ctc
from edge_app.records import LogProbs

ALPHABET = "AB1"


@st.composite
def evidence(draw: st.DrawFn) -> LogProbs:
    steps = draw(st.integers(1, 5))
    logits = np.random.default_rng(draw(st.integers(0, 10**6))).normal(0, draw(st.floats(0, 4)), (steps, 4))
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), np.float32)


def every_text(log_probs: LogProbs) -> dict[str, float]:
    """P(text) by adding up every path there is."""
    probabilities: dict[str, float] = defaultdict(float)
    exact = np.exp(log_probs.astype(np.float64))
    for path in product(range(4), repeat=len(log_probs)):
        text = "".join(ALPHABET[code] for code, _ in groupby(path) if code < 3)
        probabilities[text] += float(np.prod([exact[step, code] for step, code in enumerate(path)]))
    return probabilities


@settings(max_examples=60)
@given(evidence())
def test_the_likelihood_of_every_text_equals_the_sum_over_all_paths(log_probs: LogProbs) -> None:
    truth = every_text(log_probs)
    texts = [*truth, "ABABAB"]

    found = ctc.log_likelihoods(np.stack([log_probs, log_probs]), texts, ALPHABET)

    assert np.exp(found[0]) == pytest.approx([*truth.values(), 0.0], rel=1e-6)
    assert np.array_equal(found[0], found[1])
    assert ctc.log_likelihood(log_probs, texts[-2], ALPHABET) == pytest.approx(found[0, -2])


@settings(max_examples=60)
@given(evidence())
@example(np.log(np.array([[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.2500001, 0.25]], np.float32)))
def test_the_best_path_is_the_likeliest_of_all(log_probs: LogProbs) -> None:
    paths = list(product(range(4), repeat=len(log_probs)))
    exact = log_probs.astype(np.float64)
    likelihoods = [sum(exact[step, code] for step, code in enumerate(path)) for path in paths]
    best = [path for path, each in zip(paths, likelihoods, strict=True) if each == max(likelihoods)]

    text, likelihood = ctc.best_path(log_probs, ALPHABET)

    assert likelihood == pytest.approx(max(likelihoods), abs=1e-4)
    assert text in {"".join(ALPHABET[code] for code, _ in groupby(path) if code < 3) for path in best}


@settings(max_examples=60)
@given(evidence(), st.text(ALPHABET, min_size=1, max_size=4))
def test_the_likelihood_of_every_character_in_its_place_equals_that_of_the_whole_text(
    log_probs: LogProbs, text: str
) -> None:
    replaced = [[text[:at] + character + text[at + 1 :] for character in ALPHABET] for at in range(len(text))]

    found = ctc.character_log_likelihoods(np.stack([log_probs, log_probs]), text, ALPHABET)

    truth = [np.exp(ctc.log_likelihoods(log_probs[None], texts, ALPHABET)[0]) for texts in replaced]
    assert np.exp(found[0]) == pytest.approx(np.array(truth), rel=1e-6, abs=1e-12)
    assert np.array_equal(found[0], found[1])


@settings(max_examples=60)
@given(evidence())
def test_a_wide_beam_finds_the_likeliest_text(log_probs: LogProbs) -> None:
    truth = every_text(log_probs)

    found = ctc.beam_search(log_probs, ALPHABET, width=50)

    assert max(truth[text] for text in found) == pytest.approx(max(truth.values()), rel=0.01)
    assert len(set(found)) == len(found)


def test_repeated_sure_blanks_are_condensed_to_one() -> None:
    probabilities = np.array([[0, 0, 0, 1], [0, 0, 0, 1], [0.9, 0, 0, 0.1], [0, 0, 0, 1], [0.5, 0, 0, 0.5]]) + 1e-9

    condensed = ctc.condense(np.log(probabilities).astype(np.float32))

    assert len(condensed) == 4
