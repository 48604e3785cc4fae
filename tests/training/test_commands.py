"""`python -m training`: what it refuses before it begins."""

from pathlib import Path

import pytest

from training.__main__ import main


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("all", "--quick", "--data", "."), "--quick trains from generated plates alone: leave out --data"),
        (("reader", "--data", "absent"), "--data absent: no such folder"),
        (("all", "--from", "a.keras"), "--from is one network's checkpoint: say `detector` or `reader`, not `all`"),
        (("reader", "--from", "absent.keras"), "--from absent.keras: no such file"),
        (("detector", "--steps", "0"), "--steps: at least 1"),
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
