"""Identifiers that sort by time."""

import pytest

from edge_app.events.uuid7 import uuid7


def test_the_example_of_rfc_9562_comes_out() -> None:
    # Appendix A.6: rand_a = 0xCC3, rand_b = 0x18C4DC0C0C07398F
    randomness = (0xCC3 << 68 | 0x18C4DC0C0C07398F).to_bytes(10, "big")

    made = uuid7(0x017F22E279B0, randomness)

    assert str(made) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    assert made.version == 7


def test_a_later_one_sorts_behind() -> None:
    earlier = uuid7(1_000, b"\xff" * 10)

    later = uuid7(1_001, b"\x00" * 10)

    assert str(earlier) < str(later)


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        uuid7(0, b"few")
