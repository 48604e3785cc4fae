"""Generated texts are such as are seen on the road."""

from collections import Counter

import numpy as np

from training.synthetic.texts import indian_groups


def test_states_with_many_vehicles_are_common_and_none_is_left_out() -> None:
    rng = np.random.default_rng(1)

    states = Counter(indian_groups(rng)[0] for _ in range(10_000))

    assert states["MH"] > 5 * states["SK"] > 0
    assert len(states) > 36, "all states and union territories"
    assert min(states.values()) > 20


def test_the_first_offices_of_a_state_are_the_commonest() -> None:
    rng = np.random.default_rng(1)

    offices = [int(groups[1]) for groups in (indian_groups(rng) for _ in range(5000)) if groups[1].isdigit()]

    assert 1 <= min(offices) <= max(offices) <= 99
    assert 20 < float(np.median(offices)) < 30
