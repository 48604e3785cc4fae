"""`docs/clips.md` shows what is printed and what is read."""

import json
import re
from pathlib import Path

from edge_app.evaluation.clips.comparison import compare
from edge_app.evaluation.clips.matching import ON_PLATE_IOU
from edge_app.evaluation.clips.scores import score_clips
from edge_app.evaluation.clips.truth import read_clips
from edge_app.evaluation.scoring import ALIKE_SHARE
from tests.evaluation.clips.examples import event
from tests.evaluation.clips.test_scores import OUTCOME
from tests.test_docs import blocks, keys_of
from training.synthetic.clip_scenes import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "clips.md"
LINE, PRINTED, DIFFERENCE = (json.loads(block) for block in blocks(PAGE, "json"))


def test_the_line_shown_is_read(tmp_path: Path) -> None:
    (tmp_path / LINE["video"]).touch()
    (tmp_path / "events.jsonl").write_text(json.dumps(LINE))

    ((vehicle,),) = (clip.vehicles for clip in read_clips(tmp_path))

    assert (vehicle.plate, len(vehicle.boxes)) == (LINE["plate"], 1)


def test_the_object_shown_has_the_keys_that_are_printed() -> None:
    assert keys_of(PRINTED) == keys_of(score_clips("street", [OUTCOME]).as_json())


def test_the_difference_shown_has_the_keys_that_are_printed() -> None:
    (pair,) = compare("gate.mp4", None, [event("KA01MN4561")], [])

    assert keys_of(DIFFERENCE) == keys_of(pair.as_json())


def test_the_limits_that_the_page_names_are_those_in_code() -> None:
    assert f"at least {ON_PLATE_IOU}" in re.sub(r"\s+", " ", PAGE.read_text())
    assert ALIKE_SHARE == 0.5
    for kind in KINDS:
        assert f"`{kind}`" in PAGE.read_text()
