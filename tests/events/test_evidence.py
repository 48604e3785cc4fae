"""Signed reads, from the key's file over the outbox and a real broker to the verdict."""

import base64
import json
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from jsonschema import Draft202012Validator

from edge_app import config
from edge_app.config import EvidenceSettings, MqttSettings, PrivacySettings
from edge_app.errors import ConfigurationError, UsageError
from edge_app.events import hash_keys
from edge_app.events.chain import ChainLink
from edge_app.events.decoder import as_record
from edge_app.events.event import as_plain
from edge_app.events.event_schema import schema_of
from edge_app.events.evidence import keys
from edge_app.events.evidence.keys import PrivateKey
from edge_app.events.evidence.ledger import Findings, examine
from edge_app.events.evidence.seal import Sealer, SealError, inspect
from edge_app.events.left_overs import LeftOvers
from edge_app.events.lists.lists import Lists
from edge_app.events.messages import ReadMessage
from edge_app.outbox import disk
from edge_app.outbox.outbox import Outbox
from edge_app.outbox.spilling_queue import Limits
from tests.events.passes import event
from tests.mosquitto import Mosquitto, Subscriber
from tests.test_docs import blocks
from tests.uplink.fault_proxy import FaultProxy
from tests.uplink.test_publisher import Running

Read = dict[str, Any]


@pytest.fixture
def key(tmp_path: Path) -> PrivateKey:
    """A device's key, from the file that the command makes."""
    keys.make(tmp_path / "evidence.key")
    return keys.load(EvidenceSettings(enabled=True, key_file=tmp_path / "evidence.key"))


@pytest.fixture
def sealer(key: PrivateKey) -> Sealer:
    return Sealer(key)


Open = Callable[..., Outbox]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens the outbox of one file; the one before is closed."""
    boxes: list[Outbox] = []

    def open_it(**settings: Any) -> Outbox:
        if boxes:
            boxes.pop().close()
        boxes.append(Outbox(tmp_path / "outbox.sqlite", **settings))
        return boxes[-1]

    yield open_it
    boxes[-1].close()


def reads_of(outbox: Outbox) -> list[Read]:
    """What waits, as it was signed."""
    return [as_plain(each.read) for each in outbox.pending(1000)]


def examined(reads: list[Read], *known: PrivateKey) -> Findings:
    """The verdict on a file of these reads."""
    return examine([json.dumps(read).encode() for read in reads], {each.public.name: each.public for each in known})


def chained(sealer: Sealer, count: int) -> list[Read]:
    """Reads with numbers from 1, each after the one before."""
    reads: list[Read] = []
    previous = None
    for sequence in range(1, count + 1):
        read, link = sealer.seal(replace(event().message, sequence=sequence), previous)
        reads.append(as_plain(read))
        previous = link.digest
    return reads


def test_a_signed_read_keeps_to_the_schema_and_is_good(sealer: Sealer, key: PrivateKey) -> None:
    (read,) = chained(sealer, 1)

    found = inspect(read, {key.public.name: key.public})

    Draft202012Validator(schema_of(ReadMessage)).validate(read)
    assert (found.sequence, found.event_id, found.previous) == (1, read["event_id"], None)


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("plate", "text"), "MH12AB1235", "its signature is wrong"),
        (("sequence",), 7, "its signature is wrong"),
        (("seen", "best"), "2026-01-31T13:00:00.123Z", "its signature is wrong"),
        (("seen", "clock_synchronized"), "maybe", "this is no read"),
        (("device",), "gate-02", "its signature is wrong"),
        (("weather",), "fog", "its signature is wrong"),
        (("timing_ms", "detect"), 1e400, "that programs read differently"),
        (("image", "sha256"), "0" * 64, "names another picture"),
        (("evidence", "previous"), "0" * 64, "its signature is wrong"),
        (("evidence", "image_sha256"), None, "its signature is wrong"),
        (("evidence", "signature"), "A" * 86 + "==", "its signature is wrong"),
        (("evidence", "key"), "0" * 16, "signed with key 0000000000000000, which was not given"),
        (("evidence", "gap"), {"follows": None, "signature": "A" * 86 + "=="}, "the signature of its `gap` is wrong"),
        (("evidence",), None, "it is not signed"),
        (("evidence",), {}, "this is no read"),
    ],
)
def test_whatever_is_changed_afterwards_is_noticed(
    sealer: Sealer, key: PrivateKey, place: tuple[str, ...], value: object, fault: str
) -> None:
    (read,) = chained(sealer, 1)
    *steps, last = place
    table = read
    for step in steps:
        table = table[step]
    table[last] = value

    with pytest.raises(SealError, match=fault):
        inspect(read, {key.public.name: key.public})


def test_what_is_known_only_when_a_read_is_sent_is_not_signed(sealer: Sealer, key: PrivateKey) -> None:
    (read,) = chained(sealer, 1)

    assert inspect(read | {"historical": True, "image": None}, {key.public.name: key.public}).sequence == 1


def test_white_space_order_and_forms_of_numbers_do_not_matter(sealer: Sealer, key: PrivateKey) -> None:
    (read,) = chained(sealer, 1)

    other = json.dumps(dict(reversed(read.items())), indent=1).replace("1042.0", "1042").replace("\n", "")

    assert examine([other.encode()], {key.public.name: key.public}).good == 1


def test_a_key_that_appears_twice_is_bad_because_others_might_take_the_other_one(
    sealer: Sealer, key: PrivateKey
) -> None:
    (read,) = chained(sealer, 1)
    line = json.dumps(read).replace('"historical"', '"device": "gate-02", "historical"', 1)

    findings = examine([line.encode()], {key.public.name: key.public})

    assert [fault.what for fault in findings.bad] == ["a key appears in it twice"]


def test_openssl_finds_the_signature_good_too(sealer: Sealer, key: PrivateKey, tmp_path: Path) -> None:
    (read,) = chained(sealer, 1)
    (tmp_path / "signature").write_bytes(base64.b64decode(read["evidence"]["signature"]))
    for name in ("historical", "image"):
        del read[name]
    for name in ("signature", "gap"):
        del read["evidence"][name]
    (tmp_path / "signed").write_bytes(rfc8785.dumps(read))

    command = "openssl pkeyutl -verify -rawin -pubin -inkey evidence.key.pub -in signed -sigfile signature"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.stdout == "Signature Verified Successfully\n"


def test_the_chain_goes_on_after_a_restart_though_nothing_waits(opened: Open, sealer: Sealer, key: PrivateKey) -> None:
    before = opened()
    before.put(event(signer=sealer))
    (first,) = reads_of(before)
    before.done((each.position, each.event_id, None) for each in before.pending(9))

    after = opened()
    after.put(event(signer=sealer))
    (second,) = reads_of(after)

    findings = examined([first, second], key)
    assert (findings.good, findings.is_whole, second["sequence"]) == (2, True, 2)


def test_the_chain_of_what_waits_is_unbroken_over_a_restart(opened: Open, sealer: Sealer, key: PrivateKey) -> None:
    opened().put(event(signer=sealer), event(signer=sealer))
    after = opened()
    after.put(event(signer=sealer))

    findings = examined(reads_of(after), key)

    assert (findings.good, findings.is_whole, findings.chains["gate-01"].last) == (3, True, 3)


def test_the_chain_goes_over_what_waited_in_memory(
    opened: Open, sealer: Sealer, key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = opened(limits=Limits(keep_free_bytes=1), clock=iter(range(1000)).__next__)
    outbox.put(event(signer=sealer))
    with monkeypatch.context() as full:
        full.setattr(disk, "free_bytes", lambda _: -1_000_000_000)
        outbox.put(event(signer=sealer), event(signer=sealer))
        assert outbox.state().in_memory == 2
    outbox.tend()
    assert outbox.state().in_memory == 0
    again = opened()
    again.put(event(signer=sealer))

    findings = examined(reads_of(again), key)

    assert (findings.good, findings.is_whole) == (4, True)


def test_a_file_that_has_lost_the_end_of_the_chain_still_gives_its_reads(
    tmp_path: Path, opened: Open, sealer: Sealer, key: PrivateKey
) -> None:
    opened().put(event(signer=sealer), event(signer=sealer))
    opened()
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(path.read_bytes().replace(b"notes (crc32", b"notes (crc33", 1))  # one bit

    outbox = opened()
    outbox.put(event(signer=sealer))

    assert [each["sequence"] for each in reads_of(outbox)] == [1, 2, 3]
    assert examined(reads_of(outbox), key).good == 3


def test_without_a_key_reads_are_not_signed(opened: Open) -> None:
    outbox = opened()
    outbox.put(event())

    (read,) = reads_of(outbox)

    assert read["evidence"] is None


def test_a_line_taken_out_breaks_the_chain_and_the_break_is_named(sealer: Sealer, key: PrivateKey) -> None:
    reads = chained(sealer, 9)

    findings = examined([*reads[:3], *reads[6:]], key)

    (broken,) = findings.chains["gate-01"].breaks
    assert not findings.is_whole
    assert (findings.good, broken.line) == (6, 4)
    assert f"sequence 7 (event {reads[6]['event_id']}): sequence 4 to 6 is not here, or not good" in broken.what


def test_a_changed_read_is_bad_and_the_one_behind_it_has_lost_its_link(sealer: Sealer, key: PrivateKey) -> None:
    reads = chained(sealer, 4)
    reads[1]["plate"]["text"] = "DL8CAF5030"

    findings = examined(reads, key)

    assert [(fault.line, "signature is wrong" in fault.what) for fault in findings.bad] == [(2, True)]
    assert [(each.line, "sequence 2 is not here, or not good" in each.what) for each in breaks(findings)] == [(3, True)]


def breaks(findings: Findings) -> list[Any]:
    """All of them."""
    return [each for chain in findings.chains.values() for each in chain.breaks]


def test_repeats_late_repeats_and_a_file_that_begins_in_the_middle_are_no_fault(
    sealer: Sealer, key: PrivateKey
) -> None:
    reads = chained(sealer, 6)

    findings = examined([reads[3], reads[4], reads[3] | {"historical": True}, reads[5], reads[4]], key)

    assert (findings.good, findings.repeats, findings.is_whole) == (3, 2, True)


def test_other_messages_are_skipped_and_what_is_no_message_is_bad(sealer: Sealer, key: PrivateKey) -> None:
    (read,) = chained(sealer, 1)
    lines = [json.dumps(read).encode(), b"", b'{"schema": "edge-anpr/last/1"}', b"{", b"[]", b"\xff"]

    findings = examine(lines, {key.public.name: key.public})

    assert (findings.good, findings.others) == (1, 1)
    assert [fault.line for fault in findings.bad] == [4, 5, 6]


def test_a_chain_that_begins_anew_is_a_break(sealer: Sealer, key: PrivateKey) -> None:
    findings = examined([*chained(sealer, 2), *chained(sealer, 2)], key)

    assert [(each.line, "a new chain begins here" in each.what) for each in breaks(findings)] == [(3, True)]


def test_two_reads_after_the_same_one_are_a_break(sealer: Sealer, key: PrivateKey) -> None:
    reads = chained(sealer, 2)
    other, _ = sealer.seal(replace(event().message, sequence=2), reads[1]["evidence"]["previous"])

    findings = examined([*reads, as_plain(other)], key)

    assert [(each.line, "went on from an older state" in each.what) for each in breaks(findings)] == [(3, True)]


def test_another_devices_reads_and_reads_after_a_change_of_keys_are_known_by_their_keys(
    tmp_path: Path, sealer: Sealer, key: PrivateKey
) -> None:
    keys.make(tmp_path / "next.key")
    following = keys.load(EvidenceSettings(enabled=True, key_file=tmp_path / "next.key"))
    reads = chained(sealer, 2)
    last = inspect(reads[-1], {key.public.name: key.public})
    third, _ = Sealer(following).seal(replace(event().message, sequence=3), last.digest)
    reads.append(as_plain(third))

    with_both, with_one = examined(reads, key, following), examined(reads, key)

    assert (with_both.good, with_both.is_whole) == (3, True)
    assert [fault.line for fault in with_one.bad] == [3]


def deliver(path: Path, broker: Mosquitto, subscriber: Subscriber, sealer: Sealer, count: int = 0) -> list[Read]:
    """All that arrives while a publisher runs that puts so many events more."""
    before = len(subscriber.on("/read"))
    with closing(Running(path, broker.settings, sealer=sealer)) as running:
        running.start()
        running.put(count)
        running.waits_until(running.is_drained)
        expected = running.outbox.put(event(signer=sealer))[0]
        running.publisher.wake()
        while json.loads((subscriber.on("/read") or subscriber.until(1, "/read"))[-1].payload)["sequence"] < expected:
            subscriber.listen(0.05)
    return [json.loads(message.payload) for message in subscriber.on("/read")[before:]]


def test_reads_that_had_to_make_room_are_a_gap_that_the_device_has_signed(
    tmp_path: Path, broker: Mosquitto, subscriber: Subscriber, sealer: Sealer, key: PrivateKey
) -> None:
    path = tmp_path / "outbox.sqlite"
    first = deliver(path, broker, subscriber, sealer)
    with closing(Outbox(path, Limits(12_000))) as outbox:
        outbox.put(*(event(images=False, signer=sealer) for _ in range(9)))
        lost = outbox.state().losses.reads_sacrificed
    reads = first + deliver(path, broker, subscriber, sealer, count=2)

    findings, again = examined(reads, key), examined([reads[0], *reads[2:]], key)

    assert lost > 0
    assert (findings.good, findings.bad, findings.is_whole) == (len(reads), [], True)
    assert findings.chains["gate-01"].given_up == [(2, lost + 1)]
    assert reads[1]["evidence"]["gap"] is not None
    assert not again.is_whole, "the read behind the gap is not one that the device gave up"
    Draft202012Validator(schema_of(ReadMessage)).validate(reads[1])


def test_reads_that_were_all_given_up_leave_a_gap_before_the_next_one(
    tmp_path: Path, broker: Mosquitto, subscriber: Subscriber, sealer: Sealer, key: PrivateKey
) -> None:
    path = tmp_path / "outbox.sqlite"
    first = deliver(path, broker, subscriber, sealer)
    with closing(Outbox(path)) as outbox:
        outbox.put(event(signer=sealer), event(signer=sealer))
    Outbox(path, revise=lambda _: None).close()
    reads = first + deliver(path, broker, subscriber, sealer)

    findings = examined(reads, key)

    assert findings.is_whole
    assert findings.chains["gate-01"].given_up == [(2, 3)]


def test_a_read_that_is_sent_twice_is_signed_the_same_both_times(
    tmp_path: Path, broker: Mosquitto, subscriber: Subscriber, sealer: Sealer, key: PrivateKey
) -> None:
    with closing(FaultProxy(broker.port)) as proxy:
        settings = MqttSettings(host="127.0.0.1", port=proxy.port)
        with closing(Running(tmp_path / "outbox.sqlite", settings, sealer=sealer)) as running:
            running.start()
            subscriber.until(1, "/status")
            proxy.withhold.set()
            running.put(3)
            subscriber.until(3, "/read")
            proxy.withhold.clear()
            proxy.cut()
            running.waits_until(running.is_drained)
            reads = [json.loads(message.payload) for message in subscriber.until(6, "/read")]

    findings = examined(reads, key)

    assert (findings.good, findings.repeats, findings.is_whole) == (3, 3, True)
    assert reads[:3] == reads[3:]


def test_what_privacy_has_changed_is_still_a_chain_when_it_arrives(
    tmp_path: Path, broker: Mosquitto, subscriber: Subscriber, sealer: Sealer, key: PrivateKey
) -> None:
    path = tmp_path / "outbox.sqlite"
    (tmp_path / "hash-key").write_text("5f" * 32)
    hashed_by = hash_keys.load(PrivacySettings(hash=True, key_file=tmp_path / "hash-key"))
    with closing(Outbox(path)) as outbox:
        outbox.put(event(signer=sealer), event(signer=sealer), event(signer=sealer))
    left_overs = LeftOvers(Lists((), lambda _: True), hashed_by, takes_pictures=False, sign_again=sealer.seal_again)
    Outbox(path, revise=left_overs.revise).close()

    findings = examined(deliver(path, broker, subscriber, sealer), key)

    assert (findings.good, findings.is_whole) == (4, True)


def test_the_read_that_was_delivered_last_is_kept_in_mind(opened: Open, sealer: Sealer) -> None:
    outbox = opened()
    outbox.put(event(signer=sealer), event(signer=sealer))
    first, _ = outbox.pending(2)

    outbox.done([(1, first.event_id, ChainLink(1, "a" * 64))])

    assert opened().delivered == ChainLink(1, "a" * 64)


def test_make_key_writes_a_pair_that_only_its_owner_can_read_and_never_overwrites(tmp_path: Path) -> None:
    public = keys.make(tmp_path / "new.key")

    assert stat.S_IMODE((tmp_path / "new.key").stat().st_mode) == 0o600
    assert keys.load_public(tmp_path / "new.key.pub").name == public.name
    with pytest.raises(UsageError, match=r"new.key.pub: this is there already"):
        keys.make(tmp_path / "new.key")
    (tmp_path / "new.key.pub").unlink()
    with pytest.raises(UsageError, match=r"new.key: this is there already"):
        keys.make(tmp_path / "new.key")
    with pytest.raises(UsageError, match="cannot be written"):
        keys.make(tmp_path / "absent" / "new.key")


def test_the_key_comes_from_a_credential_too(tmp_path: Path, key: PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="there is no key; set `key_file`"):
        keys.load(EvidenceSettings(enabled=True))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "evidence.key").rename(tmp_path / "evidence-key")

    assert keys.load(EvidenceSettings(enabled=True)).public.name == key.public.name


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (None, "cannot be read"),
        ("echo nothing", "no private key without passphrase"),
        ("openssl genpkey -algorithm ed25519 -aes256 -pass pass:secret", "no private key without passphrase"),
        ("openssl genpkey -algorithm x25519", "a key of another kind than Ed25519"),
    ],
)
def test_a_key_that_cannot_be_used_is_reported(tmp_path: Path, command: str | None, fault: str) -> None:
    path = tmp_path / "wrong.key"
    if command:
        path.write_bytes(subprocess.run(command.split(), capture_output=True, check=True).stdout)

    with pytest.raises(ConfigurationError, match=fault):
        keys.load(EvidenceSettings(enabled=True, key_file=path))


def test_a_key_that_openssl_makes_will_do(tmp_path: Path) -> None:
    command = f"openssl genpkey -algorithm ed25519 -out {tmp_path}/own.key"
    subprocess.run(command.split(), check=True)

    own = keys.load(EvidenceSettings(enabled=True, key_file=tmp_path / "own.key"))

    (tmp_path / "own.pub").write_bytes(own.public.as_pem())
    assert keys.load_public(tmp_path / "own.pub").name == own.public.name


PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"


@pytest.mark.parametrize(("text", "code"), [("MH12AB1234", 0), ("DL8CAF5030", 1)])
def test_the_program_of_the_page_checks_a_read(
    tmp_path: Path, sealer: Sealer, key: PrivateKey, text: str, code: int
) -> None:
    read = as_plain(sealer.bridge(as_record(ReadMessage, chained(sealer, 2)[-1]), None)[0])
    read["plate"]["text"] = text
    (program,) = blocks(PAGE, "python")
    (tmp_path / "check.py").write_text(program)

    command = [sys.executable, tmp_path / "check.py", tmp_path / "evidence.key.pub"]
    done = subprocess.run(list(map(str, command)), input=json.dumps(read), capture_output=True, text=True, check=False)

    assert read["evidence"]["gap"] is not None
    assert done.returncode == code, done.stderr
    assert ("InvalidSignature" in done.stderr) == bool(code)


def test_the_settings_of_the_page_are_right(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("".join(blocks(PAGE, "toml")))

    assert config.load(tmp_path / "config.toml").evidence.enabled


def test_a_key_without_evidence_and_lists_set_without_a_list_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[evidence]\nkey_file = "a.key"\n[commands]\nallow = ["lists/set", "reboot"]\n'
    )
    with pytest.raises(ConfigurationError) as both:
        config.load(tmp_path / "config.toml")
    (tmp_path / "config.toml").write_text('[commands]\nallow = ["lists/set"]\n')
    with pytest.raises(ConfigurationError) as last:
        config.load(tmp_path / "config.toml")

    assert "2: [evidence] key_file: this is used to sign reads only; set `enabled = true`" in str(both.value)
    assert '4: [commands] allow item 2: "reboot" is not known; choose one of: ping, snapshot' in str(both.value)
    assert "2: [commands] allow: there is no list to set; add one in [[lists]]" in str(last.value)
