"""`python -m training`: what it refuses before it begins."""

import json
from pathlib import Path

import pytest

from training.__main__ import _parser, _plan, install, main
from training.plan import Plan


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("all", "--quick", "--data", "."), "--quick trains from generated plates alone: leave out --data"),
        (("reader", "--quick", "--clips", "."), "--quick trains from generated plates alone: leave out --clips"),
        (("reader", "--data", "absent"), "--data absent: no such folder"),
        (
            ("all", "--from", "a.keras"),
            "--from is one network's checkpoint: give `detector`, `aligner` or `reader`, not `all`",
        ),
        (("reader", "--from", "absent.keras"), "--from absent.keras: no such file"),
        (("detector", "--steps", "0"), "--steps: at least 1"),
        (("reader", "--clips", "."), "--clips .: holds no clips; render them with ./build.sh clips"),
        (("detector", "--clips", "."), "--clips .: holds no clips; render them with ./build.sh clips"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    fault: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    code = main(words)

    assert code == 2
    assert fault in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [], "no run was begun"


def test_clips_that_nothing_can_be_learned_from_are_an_error_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "events.jsonl").write_text("\n")

    code = main(("detector", "--clips", "clips", "--run", "run"))

    assert code == 1
    assert "names no video" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_training_that_begins_with_learned_weights_goes_slower() -> None:
    usual, parser = Plan(5000, 96, 2.5e-3), _parser()

    fresh = _plan(parser.parse_args(["reader", "--steps", "70"]), usual)
    warm = _plan(parser.parse_args(["reader", "--steps", "70", "--from", "plate_reader.keras"]), usual)

    assert (fresh.steps, fresh.learning_rate) == (70, 2.5e-3)
    assert (warm.steps, warm.learning_rate) == (70, 1.25e-3)


def test_a_checkpoint_is_installed_with_its_run_and_the_run_it_began_with(tmp_path: Path) -> None:
    run, models = tmp_path / "run", tmp_path / "models"
    run.mkdir()
    models.mkdir()
    (run / "plate_reader.keras").write_bytes(b"new")
    (run / "run.json").write_text('{"seed": 2}')
    start = models / "plate_reader.keras"
    start.write_bytes(b"old")
    start.with_suffix(".training.json").write_text('{"seed": 1}')

    install(run / "plate_reader.keras", run, start, models)

    assert start.read_bytes() == b"new"
    record = json.loads((models / "plate_reader.training.json").read_text())
    assert record == {"seed": 2, "began_with_run": {"seed": 1}}
