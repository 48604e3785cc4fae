"""`build.sh`, called from another folder than the repository's."""

import subprocess
from pathlib import Path

import pytest

from converters.__main__ import _parser as convert_parser
from training.__main__ import _parser as train_parser
from training.accuracy.__main__ import _parser as accuracy_parser

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(
    not (ROOT / ".venv" / "edge-anpr-setup" / "workstation").is_file(), reason="./build.sh would set itself up first"
)
@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("clips --out here --count 1 --seconds 0.1", "--out here: is a file; name a folder"),
        ("train detector --clips traffic --steps 1", "traffic/events.jsonl: names no video"),
        ("import --from csv here made", "here: none of its columns"),
    ],
)
def test_paths_start_at_the_folder_from_which_it_is_called(tmp_path: Path, words: str, fault: str) -> None:
    for name in ("here", "traffic/events.jsonl", "training/__init__.py"):  # the last is none of ours
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    ended = subprocess.run(
        [ROOT / "build.sh", *words.split()], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert fault in ended.stderr
    assert ended.returncode in (1, 2)


def test_outputs_go_into_the_repository_unless_set_otherwise() -> None:
    train, convert, accuracy = train_parser(), convert_parser(), accuracy_parser()

    assert train.get_default("run") == ROOT / "runs/train"
    assert {parser.get_default("out") for parser in (train, convert)} == {ROOT / "models"}
    assert (accuracy.get_default("models"), accuracy.get_default("out")) == (ROOT / "models", ROOT / "docs/accuracy.md")
