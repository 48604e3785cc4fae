"""Check this installation: models, camera, lists, broker, clock, disk, service. Gives the remedy for each fault."""

import argparse
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_app import config
from edge_app.app import OUTBOX_FILE, load_sealer, open_hook, open_lists
from edge_app.capture.source import take_frame
from edge_app.commands.run import CONFIGURATION
from edge_app.config import Settings
from edge_app.errors import EdgeAnprError
from edge_app.events import hash_keys, topics
from edge_app.outbox import disk, files
from edge_app.printable import counted, without_secrets
from edge_app.stages import load_networks
from edge_app.system_clock import clock_is_synchronized
from edge_app.tflite_model import runtime_name
from edge_app.uplink.connection import NoConnectionError
from edge_app.uplink.rehearsal import rehearse, rehearse_commands

OK, WARNING, FAULT = "ok", "warning", "fault"

_CAMERA_SECONDS = 10.0
_LOW_MEGABYTES = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    subject: str
    state: str
    """`ok`, `warning` or `fault`."""
    words: str
    """The result and, for a warning or fault, the remedy."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"the settings (default: {CONFIGURATION}, or the defaults)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a line for every check; 1 if one found a fault."""
    path = arguments.config or (CONFIGURATION if CONFIGURATION.exists() else None)
    settings = config.load(path) if path else Settings()
    print(f"{OK:<8} configuration: {path or 'none, the defaults hold'}")
    findings = []
    for finding in examine(settings):
        findings.append(finding)
        print(f"{finding.state:<8} {finding.subject}: {finding.words}", flush=True)
    return 1 if any(finding.state == FAULT for finding in findings) else 0


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check in turn; one that fails does not prevent the others."""
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("models", check_models),
        ("camera", check_camera),
        ("lists", check_lists),
        ("privacy", check_privacy),
        ("evidence", check_evidence),
        ("broker", check_broker),
        ("commands", check_commands),
        ("clock", check_clock),
        ("disk", check_disk),
        ("service", check_service),
    )
    for subject, check in checks:
        try:
            yield check(settings)
        except EdgeAnprError as error:
            yield Finding(subject, FAULT, str(error))
        except OSError as error:  # the service's folders are closed to ordinary users
            yield Finding(subject, WARNING, f"cannot be checked ({error}); run this with sudo")


def check_models(settings: Settings) -> Finding:
    """Both networks load, agree with their manifests and run."""
    for network in load_networks(settings):
        size = network.manifest.input
        network.run(np.zeros((1, size.height, size.width, size.channels), np.uint8))
    return Finding("models", OK, f"both load, match their sha256 and run in {runtime_name()}")


def check_camera(settings: Settings) -> Finding:
    """The source gives a picture before long."""
    shown = without_secrets(settings.camera.source)
    if frame := take_frame(settings.camera, _CAMERA_SECONDS):
        height, width = frame.image_bgr.shape[:2]
        return Finding("camera", OK, f"{shown} gives {width}×{height}")
    return Finding("camera", FAULT, f"{shown} gives no picture; check cable, power and address")


def check_lists(settings: Settings) -> Finding:
    """Every list can be read, and the hook's program be run."""
    open_hook(settings, threading.Event())
    lists = open_lists(settings)
    states = lists.state()
    words = ", ".join(f"{state.name} ({state.kind}) has {counted(state.plates, 'plate')}" for state in states)
    if doubts := lists.doubts():
        return Finding("lists", WARNING, f"{words}; {'; '.join(doubts)}")
    return Finding("lists", OK, words or "none are set")


def check_privacy(settings: Settings) -> Finding:
    """The key of the hash is there; a credential is given to the service alone."""
    if settings.privacy.hash and settings.privacy.key_file is None:
        words = "whether the service has the credential `plate-hash-key` can be seen in its log only"
        return Finding("privacy", WARNING, words)
    hash_keys.load(settings.privacy)
    held_back = [name for name in ("hash", "lists_only", "no_images") if getattr(settings.privacy, name)]
    return Finding("privacy", OK, ", ".join(held_back) or "off")


def check_evidence(settings: Settings) -> Finding:
    """The key that signs reads is there; a credential is given to the service alone."""
    if settings.evidence.enabled and settings.evidence.key_file is None:
        words = "whether the service has the credential `evidence-key` can be seen in its log only"
        return Finding("evidence", WARNING, words)
    sealer = load_sealer(settings)
    return Finding("evidence", OK, f"reads are signed with key {sealer.key_name}" if sealer else "off")


def check_broker(settings: Settings) -> Finding:
    """The broker lets us in and acknowledges what is written under our own topic."""
    where = f"{settings.mqtt.host}:{settings.mqtt.port}"
    try:
        rehearsal = rehearse(replace(settings.mqtt, images=settings.takes_pictures), settings.device.name)
    except NoConnectionError as error:
        return Finding("broker", FAULT, str(error))
    if rehearsal.picture_fault:
        return Finding("broker", FAULT, f"{where} takes reads but no pictures: {rehearsal.picture_fault}")
    if not rehearsal.retains:
        words = (
            f"{where} takes events, and keeps no retained messages: who subscribes later hears of this device's state"
            " only when it is sent again; allow them (mosquitto: `retain_available`)"
        )
        return Finding("broker", WARNING, words)
    if rehearsal.version == "3.1.1":  # its PUBACK carries no reason
        words = f"{where} takes events in MQTT 3.1.1, which does not report what an access list drops; check that list"
        return Finding("broker", WARNING, words)
    return Finding("broker", OK, f"{where} takes events, in MQTT {rehearsal.version}")


def check_commands(settings: Settings) -> Finding:
    """Messages on the topics of our commands reach us."""
    if not settings.commands.allow:
        return Finding("commands", OK, "off")
    asked = topics.command(topics.root(settings.mqtt.topic_prefix, settings.device.name), "#")
    arrives = rehearse_commands(settings.mqtt, settings.device.name)
    if arrives:
        return Finding("commands", OK, f"what is sent to {asked} arrives")
    if arrives is None:
        why = "this device may not write there, or the broker speaks MQTT 3.1.1"
        words = f"whether it may read {asked} is not known ({why}); send it a ping"
        return Finding("commands", WARNING, words)
    words = f"the broker grants {asked} and forwards nothing; let its access list allow this user to read it"
    return Finding("commands", FAULT, words)


def check_clock(_: Settings) -> Finding:
    """Events carry UTC: the clock has to be set by somebody."""
    if clock_is_synchronized():
        return Finding("clock", OK, "synchronized")
    return Finding("clock", WARNING, "not synchronized; enable systemd-timesyncd or chrony")


def check_disk(settings: Settings) -> Finding:
    """The outbox has room."""
    folder = settings.device.state_directory
    if not folder.is_dir():
        return Finding("disk", WARNING, f"{folder} is not there yet; the service makes it when it starts")
    if disk.is_read_only(folder):
        words = "read-only: events wait in memory only; `dmesg` gives the reason; often the SD card has to be replaced"
        return Finding("disk", FAULT, f"{folder} is {words}")
    free, least = disk.free_bytes(folder) / 1e6, settings.outbox.keep_free_megabytes
    if free < least:
        words = f"full ({free:.0f} MB free, {least:.0f} are left alone): events wait in memory only; free some"
        return Finding("disk", FAULT, f"{folder} is {words}")
    if damaged := files.damaged_files(folder / OUTBOX_FILE):
        words = f"{damaged[-1].name} is not recovered yet: free room, then stop the service and `edge-anpr recover` it"
        return Finding("disk", FAULT, f"{folder}: {words}")
    if recovered := files.recovered_files(folder / OUTBOX_FILE):
        words = f"a damaged outbox was recovered and kept as {recovered[-1].name}; check the disk, then delete the file"
        return Finding("disk", WARNING, f"{folder}: {words}")
    wanted = settings.outbox.max_megabytes + _LOW_MEGABYTES
    if free < wanted:
        return Finding("disk", WARNING, f"{free:.0f} MB free at {folder}, {wanted:.0f} wanted; free some")
    return Finding("disk", OK, f"{free:.0f} MB free at {folder}")


def check_service(_: Settings) -> Finding:
    """The state of the unit, from systemd."""
    if not Path("/run/systemd/system").is_dir():
        return Finding("service", WARNING, "systemd does not run here; start `edge-anpr run` by other means")
    shown = subprocess.run(["systemctl", "is-active", "edge-anpr.service"], capture_output=True, text=True, check=False)
    state = shown.stdout.strip() or "unknown"
    if state == "active":
        return Finding("service", OK, "active")
    return Finding(
        "service", WARNING, f"{state}; `systemctl status edge-anpr` and `journalctl -u edge-anpr` give the reason"
    )
