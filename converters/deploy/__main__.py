"""The commands `./build.sh deploy`, `rollback` and `status`: devices over ssh."""

import argparse
import json
import shlex
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from converters.bundle.__main__ import key_to_sign_with
from converters.bundle.making import Target, make_models, make_release
from converters.bundle.sources import Sources
from converters.deploy.fleet import DONE, Table, work_on
from converters.deploy.host import CACHE, DeployError, Facts, Host
from edge_app.commands.release import as_text
from edge_app.errors import EdgeAnprError, UsageError
from edge_app.service.release.installation import WATCH_SECONDS
from training.repository import REPOSITORY

Hear = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; 1 if a device failed."""
    parsed = _parser().parse_args(arguments)
    hosts = [Host(name) for name in dict.fromkeys(parsed.hosts)]
    try:
        if parsed.action == "status":
            return status(hosts, parsed)
        work = Deployment(parsed).work if parsed.action == "deploy" else rollback
        ends = work_on(hosts, work, parsed.jobs, parsed.keep_going, Table([host.name for host in hosts]))
    except EdgeAnprError as error:
        print(f"{parsed.action}: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0 if all(end == DONE for end in ends.values()) else 1


class Deployment:
    """What goes onto the devices: a bundle for each kind of machine among them, made once."""

    def __init__(self, parsed: argparse.Namespace) -> None:
        self._parsed = parsed
        self._key = key_to_sign_with(parsed.key)
        if self._key is None and parsed.bundle is None:
            raise UsageError("devices take signed bundles only: ./build.sh make-signing-key, once")
        self._sources = Sources.of(REPOSITORY)
        self._out = Path(parsed.out)
        self._made: dict[Target | None, Path] = {}
        self._lock = threading.Lock()

    def work(self, host: Host, hear: Hear) -> str:
        """Everything that one device needs."""
        hear("is asked what it is")
        facts = host.probe()
        if not facts.release and self._parsed.models:
            raise DeployError("no release is installed there: deploy a whole one first")
        bundle = self._bundle_for(facts, hear)
        there = host.copy(bundle, lambda sent, size: hear(f"{bundle.name}: {sent * 100 // size} %"))
        words = [there, "--watch", str(self._parsed.watch)]
        words += ["--allow-older"] if self._parsed.allow_older else []
        if not facts.release:  # the first: whoever may log in as root says whom to trust
            words += ["--trust", self._send_public_key(host)]
        begin = "" if facts.is_root else "sudo -n "
        given = " ".join(shlex.quote(word) for word in words)
        if self._parsed.models:
            host.stream(f"{begin}/usr/local/bin/edge-anpr release install {given}", hear)
        else:
            host.stream(f"tar -xOf {shlex.quote(there)} install.sh | {begin}sh -s -- {given}", hear)
        host.output(f"rm -rf {CACHE}")
        return _name_of(host)

    def _bundle_for(self, facts: Facts, hear: Hear) -> Path:
        if self._parsed.bundle is not None:
            return Path(self._parsed.bundle)
        target = None if self._parsed.models else Target(facts.architecture, facts.python)
        with self._lock:
            if target not in self._made:
                hear(f"a bundle of {'models' if target is None else target} is made")
                if target is None:
                    self._made[target] = make_models(self._sources, self._out, self._key)
                else:
                    self._made[target] = make_release(self._sources, target, self._out, self._key)
            return self._made[target]

    def _send_public_key(self, host: Host) -> str:
        if self._key is None:
            raise DeployError("no release is installed there, and no key is named that it is to trust: --key FILE")
        public = Path(f"{self._key}.pub").read_text(encoding="utf-8").strip()
        path = f"{CACHE}/deploy.pub"
        host.output(f"mkdir -p {CACHE} && echo {shlex.quote(public)} > {path}")
        return path


def rollback(host: Host, hear: Hear) -> str:
    """Go back to the release before."""
    begin = "" if host.output("id -u").strip() == "0" else "sudo -n "
    host.stream(f"{begin}/usr/local/bin/edge-anpr release rollback", hear)
    return _name_of(host)


def status(hosts: Sequence[Host], parsed: argparse.Namespace) -> int:
    """What runs on each device and how it is."""
    found: dict[str, dict[str, object]] = {}

    def ask(host: Host, _: Hear) -> str:
        begin = "" if host.output("id -u").strip() == "0" else "sudo -n "
        found[host.name] = json.loads(host.output(f"{begin}/usr/local/bin/edge-anpr release status --json"))
        return "answered"

    with tempfile.TemporaryFile("w") as nowhere:
        table = Table([host.name for host in hosts], nowhere if parsed.json else sys.stdout)
        ends = work_on(hosts, ask, parsed.jobs, keep_going=True, table=table)
    if parsed.json:
        print(json.dumps(found))
    else:
        for name, facts in found.items():
            print(f"\n{name}\n{as_text(facts)}")
    return 0 if all(end == DONE for end in ends.values()) else 1


def _name_of(host: Host) -> str:
    return host.output("readlink /opt/edge-anpr/current").strip().rsplit("/", 1)[-1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./build.sh", description="Devices over ssh.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="deploy|rollback|status")
    deploy = actions.add_parser("deploy", help="install this repository's release, or its models, on devices")
    deploy.add_argument("--models", action="store_true", help="the models alone; the code stays as it is")
    deploy.add_argument("--bundle", metavar="FILE", help="a bundle that was made before")
    deploy.add_argument("--key", type=Path, metavar="FILE", help="sign with it")
    deploy.add_argument("--out", default="dist", metavar="DIR", help="where bundles are made (default: %(default)s)")
    deploy.add_argument("--allow-older", action="store_true", help="also over a newer release")
    deploy.add_argument(
        "--watch", type=float, default=WATCH_SECONDS, metavar="SECONDS", help="watch each (default: %(default)s)"
    )
    back = actions.add_parser("rollback", help="go back to the release before")
    shown = actions.add_parser("status", help="release, models, health and outbox of devices")
    shown.add_argument("--json", action="store_true", help="print one JSON object")
    for action in (deploy, back, shown):
        action.add_argument("hosts", nargs="+", metavar="HOST", help="as ssh knows it")
        action.add_argument("--jobs", type=int, default=4, metavar="N", help="hosts at a time (default: %(default)s)")
    for action in (deploy, back):
        action.add_argument("--keep-going", action="store_true", help="go on with the others after a failure")
    return parser


if __name__ == "__main__":
    sys.exit(main())
