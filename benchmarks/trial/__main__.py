"""Deploying, tried on real systemd: a table of what was tried, and exit code 1 for any miss. Root, on Debian.

It makes root file systems in FOLDER (1 GB, kept for the next time) and boots them as containers.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.trial.broker import broker_in
from benchmarks.trial.bundles import Bundler
from benchmarks.trial.containers import Lab, devices, layer_above, make_tree
from benchmarks.trial.device_trial import DeviceTrial, deploy_to_many, python_of
from benchmarks.trial.report import Report, expect
from benchmarks.trial.system_parts import try_system_parts
from converters.bundle.making import PYTHONS, Target
from edge_app.service.release.bundle import Bundle
from training.repository import REPOSITORY

PARTS = ("bookworm", "trixie", "bundles", "arm64", "python3.10", "parts", "fleet")
SUITES = ("bookworm", "trixie")
_FLEET = "five at once, one fails: the table"
_PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "sshd": "openssh-server",
    "mosquitto": "mosquitto",
    "mosquitto_sub": "mosquitto-clients",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Try everything, or the parts and rows that are named."""
    parsed = _parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and so take the containers down
    if missing := [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]:
        print(f"trial: missing: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 2
    folder: Path = parsed.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    report, bundler, lab = Report(parsed.only), Bundler.begin(folder / "bundles"), Lab(folder / "lab")
    for suite in SUITES:
        if suite in parsed.parts and any(report.wants(suite, what) for what in DeviceTrial.rows(parsed.cuts)):
            tree = make_tree(folder, suite, parsed.mirror)
            bundler.made(Target("x86_64", python_of(tree)))  # before anything has to wait for it
            with broker_in(folder) as broker, devices(lab, [tree]) as (device,):
                target = Target("x86_64", python_of(tree))
                DeviceTrial(device, suite, lab, bundler, target, broker, report, parsed.watch).run(parsed.cuts)
    if "bundles" in parsed.parts:
        _check(report, "bundles", "two of one commit are identical", partial(_same_twice, bundler))
        _check(report, "bundles", "the SBOM is valid CycloneDX", partial(_sbom_is_valid, bundler))
    if "arm64" in parsed.parts:
        for suite in SUITES:
            attempt = partial(_arm, folder, suite, parsed.mirror, bundler)
            _check(report, "arm64", f"{suite}: installs, outputs equal x86-64's", attempt)
    if "python3.10" in parsed.parts:
        for architecture in ("aarch64", "x86_64"):
            target = Target(architecture, "3.10")
            _check(report, "python3.10", f"{architecture}: every wheel resolves", partial(_made, bundler, target))
        _check(report, "python3.10", "mypy takes the code as Python 3.10's", _mypy)
        if (python := shutil.which("python3.10")) is not None:
            _check(report, "python3.10", "the self-test, in a Python 3.10", partial(_self_test_in, python, bundler))
    if "parts" in parsed.parts:
        try_system_parts(folder, parsed.mirror, bundler, report)
    if "fleet" in parsed.parts and report.wants("fleet", _FLEET):
        _try_fleet(make_tree(folder, "bookworm", parsed.mirror), lab, bundler, report, parsed.watch)
    print(report.table())
    return 0 if report.rows and all(row.passed for row in report.rows) else 1


def _check(report: Report, where: str, what: str, attempt: Callable[[], str]) -> None:
    if report.wants(where, what):
        report.check(where, what, attempt)


def _same_twice(bundler: Bundler) -> str:
    target = Target("x86_64", PYTHONS[1])
    made = [bundler.made(target), bundler.made(target, "again")]
    expect(made[0].read_bytes() == made[1].read_bytes(), "they differ")
    return f"{made[0].name}, {made[0].stat().st_size / 1e6:.0f} MB"


def _sbom_is_valid(bundler: Bundler) -> str:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    bundle = bundler.made(Target("x86_64", PYTHONS[1]))
    command = ["tar", "-xOf", str(bundle), "sbom.cdx.json"]
    content = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(content)
    expect(error is None, str(error))
    return f"{len(json.loads(content)['components'])} components"


def _arm(folder: Path, suite: str, mirror: str, bundler: Bundler) -> str:
    tree = make_tree(folder, suite, mirror, "arm64")
    bundle = bundler.made(Target("aarch64", python_of(tree)))
    program = "cd /root && tar -xf bundle.tar install.sh && sh install.sh bundle.tar --trust key.pub"
    with layer_above(tree, folder / "lab/arm64") as root:
        command = ["systemd-nspawn", "--quiet", f"--directory={root}", "--register=no", "--keep-unit", "--pipe"]
        command += [f"--bind-ro={bundle}:/root/bundle.tar", f"--bind-ro={bundler.key}.pub:/root/key.pub"]
        command += ["--setenv=QEMU_CPU=cortex-a72", "sh", "-ec", f"{program} && edge-anpr self-test"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(ended.returncode == 0, (ended.stderr.strip() or ended.stdout.strip())[-300:])
    return ended.stdout.strip().splitlines()[-1]


def _made(bundler: Bundler, target: Target) -> str:
    path = bundler.made(target)
    return f"{path.name}, {path.stat().st_size / 1e6:.0f} MB"


def _self_test_in(python: str, bundler: Bundler) -> str:
    """Debian has no 3.10: one from elsewhere has to do."""
    with tempfile.TemporaryDirectory(prefix="edge-anpr-trial-") as scratch:
        Bundle.open(bundler.made(Target("x86_64", "3.10"))).unpack(Path(scratch, "release"))
        command = [python, "-I", f"{scratch}/release/bin/edge-anpr", "self-test"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(ended.returncode == 0, ended.stderr.strip()[-300:])
    return ended.stdout.strip().splitlines()[-1]


def _mypy() -> str:
    command = [sys.executable, "-m", "mypy", "--python-version", "3.10"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    expect(ended.returncode == 0, ended.stdout[-300:])
    return ended.stdout.strip().splitlines()[-1]


def _try_fleet(tree: Path, lab: Lab, bundler: Bundler, report: Report, watch: int) -> None:
    bundle = bundler.made(Target("x86_64", python_of(tree)))
    with devices(lab, [tree] * 5, first=11) as fleet:
        fleet[3].run("rm /usr/bin/python3")
        report.check(
            "fleet",
            _FLEET,
            lambda: deploy_to_many(fleet, lab, bundle, bundler.key, fleet[3].address, watch),
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./build.sh trial", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)} (default: all)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="WORDS", help="rows with these words alone; may be repeated"
    )
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/edge-anpr-trial"), metavar="DIR", help="where")
    parser.add_argument("--mirror", default="http://deb.debian.org/debian", metavar="URL", help="Debian's archive")
    parser.add_argument("--cuts", type=int, default=10, metavar="N", help="power cuts (default: %(default)s)")
    parser.add_argument(
        "--watch", type=int, default=20, metavar="SECONDS", help="after a switch (default: %(default)s)"
    )
    return parser


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parsed = _parser().parse_args(arguments)
    if odd := sorted(set(parsed.parts) - set(PARTS)):
        _parser().error(f"no such part: {odd[0]} (there are: {', '.join(PARTS)})")
    parsed.parts = parsed.parts or PARTS
    return parsed


if __name__ == "__main__":
    sys.exit(main())
