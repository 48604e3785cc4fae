"""What a settings field may hold, and the words for what it may not."""

import pytest

from edge_app.configuration.limits import Between, Limit, Matching, OneOf


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        (Between(0.5, 240), 0.5),
        (Between(0.5, 240), 240),
        (OneOf(("info", "error")), "error"),
        (Matching("[a-z]{2}", "two small letters"), "in"),
    ],
)
def test_what_keeps_to_the_limit_is_no_complaint(limit: Limit, value: object) -> None:
    assert limit.complaint(value) is None


@pytest.mark.parametrize(
    ("limit", "value", "complaint"),
    [
        (Between(1, 65535), 0, "0 is out of range; give a number from 1 to 65535"),
        (Between(1, 65535), 65536, "65536 is out of range; give a number from 1 to 65535"),
        (Between(0.5, 240), 0.49, "0.49 is out of range; give a number from 0.5 to 240"),
        (OneOf(("info", "error")), "loud", '"loud" is not known; choose one of: info, error'),
        (Matching("[a-z]{2}", "two small letters"), "ind", '"ind" will not do; give two small letters'),
    ],
)
def test_what_does_not_is_reported_with_what_to_give(limit: Limit, value: object, complaint: str) -> None:
    assert limit.complaint(value) == complaint


def test_large_bounds_are_written_out() -> None:
    complaint = Between(50, 1_000_000).complaint(0)

    assert complaint == "0 is out of range; give a number from 50 to 1000000"


def test_a_number_that_is_none_is_in_no_range() -> None:
    assert Between(0, 1).complaint(float("nan")) is not None
