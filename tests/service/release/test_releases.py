"""What a switch notes of itself outlives a power cut."""

from pathlib import Path

import pytest

from edge_app.service.release.releases import Releases, Trial


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    for name in ("old", "new"):
        (tmp_path / "opt/edge-anpr/releases" / name).mkdir(parents=True)
    return Releases(tmp_path)


def test_a_switch_that_is_not_settled_is_watched_after_a_boot_as_it_was_to_be_before(releases: Releases) -> None:
    trial = Trial("new", "old", ("broker", "camera"), seconds=20.0)

    releases.begin_trial(trial)

    assert releases.trial == trial


def test_a_note_that_was_cut_off_is_no_switch(releases: Releases) -> None:
    releases.begin_trial(Trial("new", "old", (), seconds=20.0))
    note = releases.home / "trial.json"
    note.write_bytes(note.read_bytes()[:-5])

    assert releases.trial is None
