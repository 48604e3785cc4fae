"""Checks the reads of a file: which are as they were signed, and whether any is missing between them."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_app.events.evidence import seal
from edge_app.events.evidence.keys import PublicKey
from edge_app.events.evidence.seal import Seal, SealError
from edge_app.events.messages import READ_SCHEMA


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one line."""

    line: int
    """Counted from 1."""
    what: str


@dataclass(slots=True)
class Chain:
    """The good reads of one device, in the order of the file."""

    first: int
    """The first one's sequence number."""
    last: int
    breaks: list[Fault] = field(default_factory=list)
    """Reads whose read before is not the one they name."""
    given_up: list[tuple[int, int]] = field(default_factory=list)
    """First and last sequence numbers of reads that the device signs never to have delivered."""


@dataclass(slots=True)
class Findings:
    """The result for a file."""

    good: int = 0
    """Reads that are as they were signed, each counted once."""
    repeats: int = 0
    """Good reads that are in the file again."""
    others: int = 0
    """Messages of other kinds, which are not signed, and reads of devices other than the one asked for."""
    bad: list[Fault] = field(default_factory=list)
    chains: dict[str, Chain] = field(default_factory=dict)
    """By device."""

    @property
    def is_whole(self) -> bool:
        """Whether every read is good, and every chain unbroken."""
        return not self.bad and not any(chain.breaks for chain in self.chains.values())


def examine(lines: Iterable[bytes], keys: Mapping[str, PublicKey], device: str | None = None) -> Findings:
    """Check every line of a file of JSON Lines, or those of one device, with keys that are given by their names."""
    findings = Findings()
    seals: dict[str, dict[str, tuple[int, Seal]]] = {}  # by device and digest, with the line
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            document = _parse(line)
            if isinstance(document, dict) and not _is_wanted(document, device):
                findings.others += 1
                continue
            found = seal.inspect(document, keys)
        except SealError as error:
            findings.bad.append(Fault(number, str(error)))
            continue
        if found.digest in seals.setdefault(found.device, {}):
            findings.repeats += 1
        else:
            seals[found.device][found.digest] = number, found
            findings.good += 1
    for device, sealed in seals.items():
        findings.chains[device] = _follow(sealed)
    return findings


def _is_wanted(document: dict[str, Any], device: str | None) -> bool:
    return document.get("schema") == READ_SCHEMA and device in (None, document.get("device"))


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise SealError(f"this is not JSON: {error}") from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Another program might take the other value of a key that appears twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SealError("a key appears in it twice")
    return found


def _follow(sealed: Mapping[str, tuple[int, Seal]]) -> Chain:
    """Find each read's predecessor anywhere in the file: repeats may come late."""
    sequences = sorted({each.sequence for _, each in sealed.values()})
    chain = Chain(first=sequences[0], last=sequences[-1])
    after: dict[str, Seal] = {}
    is_first = True
    for line, each in sealed.values():
        predecessors = [sealed[digest][1] for digest in each.before if digest and digest in sealed]
        other = after.setdefault(each.previous, each) if each.previous else each
        if other.event_id != each.event_id:
            what = f"as does sequence {other.sequence} (event {other.event_id}): the device went on from an older state"
            chain.breaks.append(_break(line, each, f"it follows the same read {what}, or another one has its key"))
        elif predecessors:
            chain.given_up += _missing(predecessors[-1].sequence + 1, each.sequence - 1, sequences)
        elif not is_first:
            chain.breaks.append(_break(line, each, _why(each, sequences)))
        is_first = False
    return chain


def _why(each: Seal, sequences: list[int]) -> str:
    if None in each.before:
        return "a new chain begins here: the device has lost its outbox, and the reads before are unknown"
    place = bisect_left(sequences, each.sequence)
    first, last = (sequences[place - 1] + 1 if place else 1), each.sequence - 1
    if first > last:
        return "the read before it is another one than it names"
    return f"{as_words(first, last)} is not here, or not good"


def as_words(first: int, last: int) -> str:
    """A range of sequence numbers."""
    return f"sequence {first}" if first == last else f"sequence {first} to {last}"


def _missing(first: int, last: int, sequences: list[int]) -> list[tuple[int, int]]:
    """Ranges of numbers from first to last that are not among the sorted ones."""
    ranges = []
    for number in [*sequences[bisect_left(sequences, first) : bisect_right(sequences, last)], last + 1]:
        if first < number:
            ranges.append((first, number - 1))
        first = number + 1
    return ranges


def _break(line: int, each: Seal, why: str) -> Fault:
    return Fault(line, f"sequence {each.sequence} (event {each.event_id}): {why}")
