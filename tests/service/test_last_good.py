"""The last configuration that worked, where the present one is wrong at the start."""

from pathlib import Path

import pytest

from edge_app import config
from edge_app.errors import ConfigurationError
from edge_app.service.last_good import FILE, LastGood

GOOD = '[device]\nname = "gate-01"\n[camera]\nsource = "images:pictures"\n'


class Device:
    """A configuration, and the state folder that systemd gives."""

    def __init__(self, folder: Path) -> None:
        self.file, self.state = folder / "etc/config.toml", folder / "state"
        for each in (self.file.parent, self.state):
            each.mkdir()
        self.file.write_text(GOOD)

    def last_good(self) -> LastGood:
        """As a start finds it."""
        return LastGood(self.file, {"STATE_DIRECTORY": str(self.state)})


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def test_what_worked_is_taken_where_the_file_is_wrong(device: Device) -> None:
    settings, wrong = device.last_good().load()
    device.last_good().keep(settings)
    assert wrong is None

    device.file.write_text("nonsense = 1\n")
    taken, wrong = device.last_good().load()

    assert taken == settings
    assert taken.camera.source == f"images:{device.file.parent}/pictures", "paths start where they did"
    assert wrong is not None
    assert "config.toml:1:" in wrong


def test_the_first_configuration_has_to_be_right(device: Device) -> None:
    device.file.write_text("nonsense = 1\n")

    with pytest.raises(ConfigurationError, match=r"config\.toml:1"):
        device.last_good().load()


def test_without_systemd_nothing_is_kept(device: Device) -> None:
    LastGood(device.file, {}).keep(config.load(device.file))

    assert list(device.state.iterdir()) == []


def test_a_file_that_was_changed_meanwhile_has_not_proved_good(device: Device) -> None:
    settings, _ = device.last_good().load()
    device.file.write_text(GOOD.replace("gate-01", "gate-02"))

    device.last_good().keep(settings)

    assert not (device.state / FILE).exists()


def test_a_copy_of_another_release_does_not_hide_what_is_wrong(device: Device) -> None:
    (device.state / FILE).write_text("[camera]\nold_key = 1\n")
    device.file.write_text("nonsense = 1\n")

    with pytest.raises(ConfigurationError, match=r"config\.toml:1"):
        device.last_good().load()
