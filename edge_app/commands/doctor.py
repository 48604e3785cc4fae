"""Check this installation: models, camera, lists, broker, clock, disk, service. Gives the remedy for each fault.

With sudo it asks the running service, and reads files as the service's user does. Exit code 1: a fault was found, as
that the service does not publish.
"""

import argparse
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

from edge_app import config
from edge_app.app import load_sealer, open_hook, open_lists
from edge_app.capture.source import take_frame
from edge_app.commands.finding import FAULT, OK, WARNING, Finding
from edge_app.commands.machine_checks import (
    check_clock,
    check_disk,
    check_heat,
    check_memory_card,
    check_power,
    check_room,
)
from edge_app.commands.run import CONFIGURATION
from edge_app.commands.service_checks import check_camera_of, check_release, check_service
from edge_app.config import CameraSettings, Settings
from edge_app.configuration import systemd_credentials
from edge_app.errors import EdgeAnprError
from edge_app.events import hash_keys, topics
from edge_app.printable import counted, without_secrets
from edge_app.service import as_service
from edge_app.service.board import Board
from edge_app.service.release import systemctl
from edge_app.service.release.health import Health
from edge_app.service.release.installation import COMMAND, Installation
from edge_app.stages import load_networks
from edge_app.tflite_model import SLOW_RUNTIME, runtime_name
from edge_app.uplink.connection import NoConnectionError
from edge_app.uplink.rehearsal import rehearse, rehearse_commands

_CAMERA_SECONDS = 10.0
_AS_SERVICE_SECONDS = 180.0
_CLOSED = ", which the service alone can read; run this with sudo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"the settings (default: {CONFIGURATION}, or the defaults)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    # What this command starts as the service runs; the camera is left to the service.
    parser.add_argument("--as-service", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--without-camera", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for every check; 1 if one found a fault."""
    findings = []
    for finding in _findings(arguments):
        findings.append(finding)
        if arguments.as_service:
            print(json.dumps(asdict(finding)), flush=True)
        elif not arguments.json:
            print(f"{finding.state:<8} {finding.subject}: {finding.words}", flush=True)
    is_well = all(finding.state != FAULT for finding in findings)
    if arguments.json:
        print(json.dumps({"ok": is_well, "findings": [asdict(finding) for finding in findings]}))
    return 0 if is_well or arguments.as_service else 1


def _findings(arguments: argparse.Namespace) -> Iterator[Finding]:
    """Every finding: of the service, of what it uses, of the machine."""
    path = arguments.config or (CONFIGURATION if CONFIGURATION.exists() else None)
    if arguments.as_service:
        yield from _installation(path, arguments.without_camera)
        return
    of_the_service = path in (None, CONFIGURATION) and systemctl.is_installed()
    health = Health.now() if of_the_service else None
    if health is not None:
        yield from check_service(health, CONFIGURATION.exists(), may_ask=os.geteuid() == 0)
        if (camera := check_camera_of(health)) is not None:
            yield camera
    has_camera = health is not None and health.state == "active"
    if of_the_service and os.geteuid() == 0:
        yield from _asked_as_service(path, has_camera)
        yield from check_release(Installation(Path("/"), lambda _: None))
    else:
        yield from _installation(path, has_camera)
    yield from _machine()


def _installation(path: Path | None, without_camera: bool) -> Iterator[Finding]:
    """What the service uses."""
    try:
        settings = config.load(path) if path else Settings()
    except EdgeAnprError as error:
        yield Finding("configuration", FAULT, str(error))
        return
    yield Finding("configuration", OK, str(path or "none, the defaults hold"))
    yield from examine(settings, without_camera)


def _asked_as_service(path: Path | None, has_camera: bool) -> Iterator[Finding]:
    """The same, seen with the service's rights."""
    program = [f"/{COMMAND}", "doctor", "--as-service", *(["--config", str(path)] if path else [])]
    command = as_service.command([*program, *(["--without-camera"] if has_camera else [])])
    failed = f"it cannot be checked as the service's user: `{systemctl.SERVICE}` does not let programs run beside it"
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_AS_SERVICE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding("installation", WARNING, f"{failed} ({error})")
        return
    for line in ended.stdout.splitlines():
        yield Finding(**json.loads(line))
    if ended.returncode != 0:
        why = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
        yield Finding("installation", WARNING, f"{failed} ({why}); try `systemctl daemon-reload`, then again")


def _machine() -> Iterator[Finding]:
    board = Board()
    checks = (check_heat, check_power, check_memory_card, check_clock, check_room)
    yield from (check(board) for check in checks)


def examine(settings: Settings, without_camera: bool = False) -> Iterator[Finding]:
    """Every check in turn; one that fails does not prevent the others."""
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("models", check_models),
        *((_subject(settings, each), partial(check_camera, each)) for each in settings.every_camera),
        ("lists", check_lists),
        ("privacy", check_privacy),
        ("evidence", check_evidence),
        ("broker", check_broker),
        ("commands", check_commands),
        ("disk", check_disk),
    )
    for subject, check in checks:
        if subject.split()[0] == "camera" and without_camera:
            continue
        try:
            yield check(settings)
        except EdgeAnprError as error:
            yield Finding(subject, FAULT, str(error))
        except OSError as error:  # the service's folders are closed to ordinary users
            yield Finding(subject, WARNING, f"cannot be checked ({error}); run this with sudo")


def check_models(settings: Settings) -> Finding:
    """The networks load, agree with their manifests and run."""
    for network in load_networks(settings):
        size = network.manifest.input
        network.run(np.zeros((1, size.height, size.width, size.channels), np.uint8))
    if (runtime := runtime_name()) == SLOW_RUNTIME:
        words = f"all load and match their sha256; {runtime} runs them several times slower than ai-edge-litert"
        return Finding("models", WARNING, f"{words}; take `ai_edge_litert` out of /etc/edge-anpr/system-parts")
    return Finding("models", OK, f"all load, match their sha256 and run in {runtime}")


def _subject(settings: Settings, camera: CameraSettings) -> str:
    return f"camera {camera.name}" if settings.cameras else "camera"


def check_camera(camera: CameraSettings, settings: Settings) -> Finding:
    """The source gives a picture before long."""
    subject, shown = _subject(settings, camera), without_secrets(camera.source)
    if frame := take_frame(camera, _CAMERA_SECONDS):
        height, width = frame.image_bgr.shape[:2]
        return Finding(subject, OK, f"{shown} gives {width}×{height}")
    return Finding(subject, FAULT, f"{shown} gives no picture; check cable, power and address")


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
    """The key of the hash is there."""
    if settings.privacy.hash and settings.privacy.key_file is None and not systemd_credentials.would_be_seen():
        return Finding("privacy", WARNING, f"the key is the credential `plate-hash-key`{_CLOSED}")
    hash_keys.load(settings.privacy)
    held_back = [name for name in ("hash", "lists_only", "no_images") if getattr(settings.privacy, name)]
    return Finding("privacy", OK, ", ".join(held_back) or "off")


def check_evidence(settings: Settings) -> Finding:
    """The key that signs reads is there."""
    if settings.evidence.enabled and settings.evidence.key_file is None and not systemd_credentials.would_be_seen():
        return Finding("evidence", WARNING, f"the key is the credential `evidence-key`{_CLOSED}")
    sealer = load_sealer(settings)
    return Finding("evidence", OK, f"reads are signed with key {sealer.key_name}" if sealer else "off")


def check_broker(settings: Settings) -> Finding:
    """The broker lets us in and acknowledges what is written under our own topic."""
    where = f"{settings.mqtt.host}:{settings.mqtt.port}"
    mqtt = settings.mqtt
    if mqtt.username is not None and mqtt.password_file is None and not systemd_credentials.would_be_seen():
        return Finding("broker", WARNING, f"the password may be the credential `mqtt-password`{_CLOSED}")
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
