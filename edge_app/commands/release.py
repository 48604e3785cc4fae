"""Install a bundle beside the running release and switch to it, go back, or remove it all.

A bundle is taken if a key in /etc/edge-anpr/keys.d has signed it, if it is for this machine and not older than what
is installed, and if its self-test passes here. The service is watched after the switch; if it is not well, the old
release comes back by itself. Exit code 1: refused, or gone back.
"""

import argparse
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

from edge_app.errors import EdgeAnprError, UsageError
from edge_app.service.release import systemctl
from edge_app.service.release.health import Health
from edge_app.service.release.installation import WATCH_SECONDS, Installation, Wishes
from edge_app.service.release.manifest import Manifest
from edge_app.service.release.releases import Release


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help="an image's folder in place of /")
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    install = actions.add_parser("install", help="install a bundle, of a whole release or of models alone")
    install.add_argument("bundle", type=Path, metavar="BUNDLE", help="what `./build.sh bundle` made")
    install.add_argument("--trust", type=Path, metavar="FILE", help="a public key to accept from now on")
    install.add_argument("--unsigned", action="store_true", help="take a bundle without asking for its signature")
    install.add_argument("--allow-older", action="store_true", help="take a bundle older than what is installed")
    install.add_argument(
        "--watch", type=float, default=WATCH_SECONDS, metavar="SECONDS", help="watch it so long (default: %(default)s)"
    )
    actions.add_parser("rollback", help="go back to the previous release")
    status = actions.add_parser("status", help="show what is installed and how the service is")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    actions.add_parser("verify", help="compare every file of the release with its manifest")
    actions.add_parser("watch", help="settle a switch that was cut off; the unit edge-anpr-watch does this at boot")
    actions.add_parser("rescue", help="go back if files are damaged; the unit edge-anpr-rescue does this")
    uninstall = actions.add_parser("uninstall", help="take program and units off")
    uninstall.add_argument("--purge", action="store_true", help="delete the configuration and the reads that wait, too")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked."""
    root: Path = arguments.root.resolve()
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder; give --root the folder of an image")
    os.umask(0o022)  # the service's user has to be able to read it all
    # What has begun is brought to its end, also if whoever asked for it is cut off.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    installation = Installation(root, _print)
    if arguments.action == "install":
        wishes = Wishes(arguments.trust, arguments.unsigned, arguments.allow_older, arguments.watch)
        return installation.install(arguments.bundle, wishes)
    if arguments.action == "rollback":
        return installation.rollback()
    if arguments.action == "verify":
        return _verify(installation)
    if arguments.action == "watch":
        return installation.watch()
    if arguments.action == "rescue":
        return installation.rescue()
    if arguments.action == "uninstall":
        installation.uninstall(arguments.purge)
        return 0
    facts = status_of(installation)
    print(json.dumps(facts) if arguments.json else as_text(facts))
    return 0


def status_of(installation: Installation) -> dict[str, Any]:
    """What is installed, and how the service is."""
    current, previous = installation.releases.current, installation.releases.previous
    health = Health.now() if systemctl.runs_here() else None
    return {
        "release": _facts(current),
        "previous": None if previous is None else previous.name,
        "on_trial": installation.releases.trial is not None,
        "configured": installation.configuration.exists(),
        "service": None if health is None else health.state,
        "restarts": None if health is None else health.restarts,
        "status": None if health is None else health.status,
    }


def as_text(facts: dict[str, Any]) -> str:
    """The same for people."""
    if facts["release"] is None:
        return "no release is installed"
    release = facts["release"]
    lines = [
        f"release   {release['name']}, commit {release['commit'][:12]} of {release['made_at']}",
        f"models    {release['models']}",
        f"previous  {facts['previous'] or 'none'}",
        f"service   {facts['service'] or 'no systemd here'}" + ("" if facts["configured"] else ", not configured"),
    ]
    parts = (facts["status"] or {}).get("parts", {})
    if (waiting := (facts["status"] or {}).get("telemetry", {}).get("events_waiting")) is not None:
        lines.append(f"outbox    {waiting} events wait")
    lines += [f"{name:<9} {part.get('state', 'unknown')}" for name, part in parts.items()]
    return "\n".join(lines)


def _verify(installation: Installation) -> int:
    release = installation.releases.current
    if release is None:
        raise EdgeAnprError("no release is installed")
    installation.check(release)
    _print(f"{release.name}: every file is as it was packed")
    return 0


def _facts(release: Release | None) -> dict[str, Any] | None:
    if release is None:
        return None
    code, models = release.manifest(), release.models_manifest()
    return {
        "name": release.name,
        "version": code.version,
        "commit": code.commit,
        "made_at": code.made_at,
        "models": _models_name(models),
    }


def _models_name(manifest: Manifest) -> str:
    """Models are identified by their contents."""
    files = sorted(facts.sha256[:8] for path, facts in manifest.files.items() if path.endswith(".tflite"))
    return "+".join(files)


def _print(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(f"==> {line}", flush=True)
