"""Hashes in place of plates."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from edge_app.config import PrivacySettings, Settings
from edge_app.errors import ConfigurationError
from edge_app.events import hash_keys
from edge_app.events.event import EventFactory
from edge_app.events.event_schema import schema_of
from edge_app.events.hash_keys import HashKey, HashKeys
from edge_app.events.messages import ReadMessage
from edge_app.records import ListMatch
from edge_app.uplink.delivery import flatten
from tests.events.passes import NOON, SOFTWARE, plate_pass

SECRET = "5f" * 32
KEY = HashKey(SECRET.encode())


def settings(folder: Path, key: str = SECRET, days: int = 0) -> PrivacySettings:
    """Those of a device with a key."""
    (folder / "key").write_text(key + "\n")
    return PrivacySettings(hash=True, key_file=folder / "key", key_days=days)


def test_the_hash_is_the_hmac_that_everybody_knows(tmp_path: Path) -> None:
    keys = hash_keys.load(settings(tmp_path))

    assert keys is not None
    expected = hmac.new(SECRET.encode(), b"MH12AB1234", hashlib.sha256).hexdigest().upper()
    assert keys.at(NOON).hash("MH12AB1234") == expected


def test_another_key_makes_another_hash_and_has_another_name() -> None:
    other = HashKey(b"other" * 8)

    assert KEY.hash("MH12AB1234") != other.hash("MH12AB1234")
    assert KEY.name != other.name
    assert SECRET not in f"{KEY!r} {KEY.name}"


def test_the_key_changes_with_the_days_in_utc_and_for_the_whole_fleet_at_once() -> None:
    keys, elsewhere = HashKeys(KEY, days=1), HashKeys(KEY, days=1)
    evening = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)

    assert keys.at(NOON) == keys.at(evening) == elsewhere.at(evening)
    assert keys.at(evening) != keys.at(evening + timedelta(seconds=1))


def test_by_default_one_key_holds_for_ever() -> None:
    keys = HashKeys(KEY, days=0)

    assert keys.at(NOON) == keys.at(NOON + timedelta(days=4000)) == KEY


def test_the_key_may_be_a_credential_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plate-hash-key").write_text(SECRET)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    keys = hash_keys.load(PrivacySettings(hash=True))

    assert keys is not None
    assert keys.at(NOON) == KEY


def test_without_a_good_key_nothing_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    with pytest.raises(ConfigurationError, match="there is no key; set `key_file`, or give the service a credential"):
        hash_keys.load(PrivacySettings(hash=True))
    with pytest.raises(ConfigurationError, match="6 characters are too few; make a key: `openssl rand -hex 32`"):
        hash_keys.load(settings(tmp_path, "secret"))
    with pytest.raises(ConfigurationError, match="a key is one line of printable characters"):
        hash_keys.load(settings(tmp_path, "secret" * 9 + "\0"))
    with pytest.raises(ConfigurationError, match="absent: cannot be read"):
        hash_keys.load(PrivacySettings(hash=True, key_file=tmp_path / "absent"))


def test_without_hashes_no_key_is_needed() -> None:
    assert hash_keys.load(PrivacySettings()) is None


def test_a_hashed_event_has_no_character_of_the_plate_and_no_picture(tmp_path: Path) -> None:
    privacy = settings(tmp_path)
    factory = EventFactory(Settings(privacy=privacy), SOFTWARE, hash_keys.load(privacy), now=lambda: NOON)

    made = factory.make(plate_pass(), [ListMatch("gate", "deny", "MH12A81234", 0.5)])

    assert made.image_jpeg is None
    message = json.loads(made.payload(sequence=1))
    Draft202012Validator(schema_of(ReadMessage)).validate(message)
    assert message["plate"]["text"] == KEY.hash("MH12AB1234")
    assert message["plate"]["hash_key"] == flatten(made.message).hash_key == KEY.name
    assert message["plate"]["characters"] == message["plate"]["candidates"] == []
    assert message["lists"] == [{"list": "gate", "kind": "deny", "entry": KEY.hash("MH12A81234"), "cost": 0.5}]
    assert b"MH12" not in made.payload()
