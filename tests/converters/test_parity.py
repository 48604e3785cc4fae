"""What the gate adds up."""

import pytest

from converters.parity import Comparison, as_table, pooled_losses
from edge_app.evaluation.scoring import DatasetScore, DetectionScore, Elapsed, ReadingScore


def score(found: tuple[int, int] | None, read: tuple[int, int] | None) -> DatasetScore:
    """A dataset of which so many of so many plates were found and read."""
    detection = found and DetectionScore(found[1], found[0], 0, found[0] / found[1], 1.0, 1.0)
    reading = read and ReadingScore(read[1], read[0] / read[1], 1.0)
    return DatasetScore("yard", 1, 10, detection or None, reading or None, Elapsed(1.0, 1.0))


def test_every_plate_counts_once_whichever_dataset_it_is_in() -> None:
    large = Comparison(score((90, 90), (80, 90)), score((81, 90), (89, 90)))
    small = Comparison(score((10, 10), (10, 10)), score((9, 10), (0, 10)))

    recall_loss, read_loss = pooled_losses([large, small])

    assert recall_loss == pytest.approx((9 + 1) / 100)
    assert read_loss == pytest.approx((-9 + 10) / 100)


def test_a_dataset_without_boxes_or_texts_has_nothing_to_lose() -> None:
    crops = Comparison(score(None, (10, 10)), score(None, (5, 10)))
    street = Comparison(score((10, 10), None), score((8, 10), None))

    assert pooled_losses([crops, street]) == pytest.approx((0.2, 0.5))


def test_the_table_shows_both_and_the_loss_and_a_dash_for_what_is_not_known() -> None:
    table = as_table([Comparison(score(None, (10, 10)), score(None, (5, 10)))])

    assert table.splitlines()[1].split() == ["yard", "–", "–", "–", "1.000", "0.500", "+0.500"]
