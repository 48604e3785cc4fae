"""Check the signatures and the chain of reads in a file, as `listen --output` writes it.

Says how many reads are good, which is the first bad one, where the chain breaks and why, and which reads the device
itself gave up. What was cut off before the first read or after the last cannot be seen: compare their numbers with what
you expect. It has failed where a read is bad, where one is missing that the device did not give up, and where there is
no read at all; a file or a key that cannot be used is wrong usage.
"""

import argparse
import sys
from pathlib import Path

from edge_app.errors import EdgeAnprError, UsageError
from edge_app.events.evidence import keys
from edge_app.events.evidence.ledger import Findings, as_words, examine

_MOST_SHOWN = 20
"""Breaks of a chain that are told one by one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="reads as JSON, one a line")
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        required=True,
        metavar="PUBLIC",
        help="the device's public key; several where it was changed, or where the file holds several devices",
    )
    parser.add_argument("--device", metavar="NAME", help="check this device's reads and pass over those of others")


def run(arguments: argparse.Namespace) -> int:
    """Go through the file."""
    known = {key.name: key for key in map(keys.load_public, arguments.key)}
    try:
        with arguments.file.open("rb") as lines:
            findings = examine(lines, known, arguments.device)
    except OSError as error:
        raise UsageError(f"{arguments.file}: cannot be read ({error.strerror}); check the path") from error
    if not (findings.good or findings.bad):
        whose = f" of {arguments.device}" if arguments.device else ""
        remedy = "`edge-anpr listen --output FILE` writes some"
        raise EdgeAnprError(f"{arguments.file}: there is no read{whose} in it; {remedy}")
    for line in report(findings):
        print(line)
    sys.stdout.flush()
    return 0 if findings.is_whole else 1


def report(findings: Findings) -> list[str]:
    """What was found, a line each."""
    others = f", {findings.others} other messages passed over" if findings.others else ""
    told = [f"{findings.good} good reads, {len(findings.bad)} bad, {findings.repeats} repeats{others}"]
    if findings.bad:
        told.append(f"first bad read: line {findings.bad[0].line}: {findings.bad[0].what}")
    for device, chain in findings.chains.items():
        state = f"broken {len(chain.breaks)} times" if chain.breaks else "unbroken"
        told.append(f"{device}: {as_words(chain.first, chain.last)}, chain {state}")
        told += [f"{device}: break at line {each.line}: {each.what}" for each in chain.breaks[:_MOST_SHOWN]]
        if len(chain.breaks) > _MOST_SHOWN:
            told.append(f"{device}: and {len(chain.breaks) - _MOST_SHOWN} more breaks")
        given_up = sum(last - first + 1 for first, last in chain.given_up)
        if given_up:
            ranges = ", ".join(as_words(*each) for each in chain.given_up)
            told.append(f"{device}: {given_up} reads were never delivered, as the device itself signs: {ranges}")
    return told
