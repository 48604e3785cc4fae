"""Check the signatures and the chain of reads in a file, as `listen --output` writes it.

Prints the number of good reads, the first bad one, each break of the chain with its reason, and the reads that the
device itself gave up. What was cut off before the first read or after the last cannot be seen: compare their numbers
with what you expect. Exit code 1 if a read is bad, if one is missing that the device did not give up, or if there is no
read at all. Exit code 2 if the file or a key cannot be used.
"""

import argparse
import sys
from pathlib import Path

from edge_app.errors import EdgeAnprError, UsageError
from edge_app.events.evidence import keys
from edge_app.events.evidence.ledger import Findings, as_words, examine

_MOST_SHOWN = 20
"""Largest number of breaks of a chain that are printed one by one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="reads as JSON, one a line")
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        required=True,
        metavar="PUBLIC",
        help="the device's public key; give several if it was changed, or for several devices in one file",
    )
    parser.add_argument("--device", metavar="NAME", help="check this device's reads and skip those of others")


def run(arguments: argparse.Namespace) -> int:
    """Check the file."""
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
    others = f", {findings.others} other messages skipped" if findings.others else ""
    lines = [f"{findings.good} good reads, {len(findings.bad)} bad, {findings.repeats} repeats{others}"]
    if findings.bad:
        lines.append(f"first bad read: line {findings.bad[0].line}: {findings.bad[0].what}")
    for device, chain in findings.chains.items():
        state = f"broken {len(chain.breaks)} times" if chain.breaks else "unbroken"
        lines.append(f"{device}: {as_words(chain.first, chain.last)}, chain {state}")
        lines += [f"{device}: break at line {each.line}: {each.what}" for each in chain.breaks[:_MOST_SHOWN]]
        if len(chain.breaks) > _MOST_SHOWN:
            lines.append(f"{device}: and {len(chain.breaks) - _MOST_SHOWN} more breaks")
        given_up = sum(last - first + 1 for first, last in chain.given_up)
        if given_up:
            ranges = ", ".join(as_words(*each) for each in chain.given_up)
            lines.append(f"{device}: {given_up} reads were never delivered, as the device itself signs: {ranges}")
    return lines
