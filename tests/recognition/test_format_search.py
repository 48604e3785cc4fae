"""The best text of a plate layout."""

from itertools import groupby, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_app.recognition.format_search import FormatSearch
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.records import LogProbs
from tests.evidence import ALPHABET, log_probs


def best_path(evidence: LogProbs, template: tuple[str, ...], alphabet: str) -> tuple[float, str]:
    """The likeliest single alignment of any text that fits, by trying them all."""
    found = (-np.inf, "")
    for path in product(range(len(alphabet) + 1), repeat=len(evidence)):
        text = "".join(alphabet[code] for code, _ in groupby(path) if code < len(alphabet))
        if len(text) == len(template) and all(a in b for a, b in zip(text, template, strict=True)):
            found = max(found, (float(sum(evidence[step, code] for step, code in enumerate(path))), text))
    return found


@settings(max_examples=60)
@given(
    st.integers(0, 10**6), st.integers(1, 5), st.sampled_from([("AB", "1"), ("AB", "AB"), ("A",), ("A1", "A1", "A1")])
)
def test_the_text_of_a_layout_has_the_best_alignment_of_all_that_fit(
    seed: int, steps: int, template: tuple[str, ...]
) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (steps, 4))
    evidence = np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), np.float32)

    found = FormatSearch([template], "AB1").search(evidence, most=1)

    _, expected = best_path(evidence, template, "AB1")
    assert found == ([expected] if expected else [])


def test_characters_of_one_shape_are_decided_by_their_position() -> None:
    search = FormatSearch(PlateFormats.load(["in"]).templates, ALPHABET)
    doubts = {3: {"I": 0.6, "1": 0.4}, 5: {"8": 0.7, "B": 0.3}, 6: {"O": 0.8, "0": 0.2}}

    found = search.search(log_probs("MH0IA8O234", doubts), most=8)

    assert found[0] == "MH01AB0234"


def test_a_repeated_digit_needs_a_gap_of_its_own() -> None:
    search = FormatSearch(PlateFormats.load(["in"]).templates, ALPHABET)

    found = search.search(log_probs("MH12AB1123"), most=8)

    assert found[0] == "MH12AB1123"
    assert len(set(found)) == len(found)
