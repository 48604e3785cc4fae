"""What one device goes through: from the first installation to the last word."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.trial.broker import PORT, Broker, wait_until
from benchmarks.trial.containers import Container, Lab
from benchmarks.trial.report import Report, expect
from training.repository import REPOSITORY

_CONFIGURATION = """[device]
name = "{name}"
[camera]
name = "road"
source = "file:/opt/edge-anpr/current/site/edge_app/demo/clip.mp4?loop=1&speed=1"
[tracking]
reappear_seconds = 1.0
[models]
threads = 1
[mqtt]
host = "{broker}"
port = {port}
images = false
"""
_COMMAND = "/usr/local/bin/edge-anpr"


@dataclass(frozen=True, slots=True)
class Bundles:
    """What is deployed."""

    first: Path
    second: Path
    broken: Path
    models: Path
    bad_models: Path
    key: Path
    refusals: dict[str, Path]


class DeviceTrial:
    """One container, and what is done to it: one method a row of the report, so more than twenty."""

    def __init__(
        self, container: Container, where: str, lab: Lab, bundles: Bundles, broker: Broker, report: Report, watch: int
    ) -> None:
        self._device = container
        self._where = where
        self._lab = lab
        self._bundles = bundles
        self._broker = broker
        self._report = report
        self._watch = watch
        self._deploy_seconds = 30.0
        """How long a whole deploy takes here."""

    def run(self, cuts: int) -> None:
        """Everything in turn; what builds on a miss misses as well."""
        self._check("install from the bundle, no network", self.install)
        self._check("not configured: waits quietly", self.waits_quietly)
        self._check("start to READY, reads in mosquitto, RSS, CPU", self.start)
        self._check("SIGKILL: back by itself", self.killed)
        self._check("hung: killed by the watchdog, and back", self.hung)
        self._check("systemctl reload: a wrong file, then a right one", self.reload)
        for what, bundle in self._bundles.refusals.items():
            self._check(f"refused: {what}", partial(self.refused, bundle))
        self._check("deploy with a full outbox: nothing lost", self.deploy_with_full_outbox)
        self._check("broken release: rolled back by itself", self.deploy_broken)
        self._check("models alone", self.deploy_models)
        self._check("bad models: refused", self.deploy_bad_models)
        self._check("rollback", self.rollback)
        if cuts:
            self._check(f"power cut at {cuts} random moments", partial(self.cut, cuts))
        self._check("uninstall, then --purge", self.uninstall)

    def install(self) -> str:
        """By hand, as from a USB stick."""
        expect(self._device.output("ip route get 1.1.1.1") == "", "the device has a way out")
        self._put(self._bundles.first, "bundle.tar")
        self._put(self._bundles.key.with_suffix(".pub"), "trial.pub")
        self._device.run("tar -xf bundle.tar install.sh && sh install.sh bundle.tar --trust trial.pub && rm bundle.tar")
        return f"{self._status()['release']['name']}, {self._device.output('du -sh /opt/edge-anpr').split()[0]}"

    def waits_quietly(self) -> str:
        """Enabled, and neither started nor failed."""
        self._device.run("systemctl start edge-anpr")
        shown = self._device.output("systemctl show edge-anpr -p ActiveState,NRestarts,ConditionResult")
        expect(shown.split() == ["NRestarts=0", "ActiveState=inactive", "ConditionResult=no"], shown)
        return "inactive, its condition is not met"

    def start(self) -> str:
        """The demo clip, in its own time, for ever."""
        words = _CONFIGURATION.format(name=self._device.name, broker=self._device.host_address, port=PORT)
        self._device.run("cat > /etc/edge-anpr/config.toml", stdin=words)
        began = time.monotonic()
        self._device.run("systemctl start edge-anpr")
        ready = time.monotonic() - began
        wait_until(lambda: len(self._broker.reads(self._device.name)) >= 5, 240, "five reads")
        pid = self._pid()
        used = self._cpu_seconds(pid)
        time.sleep(20)
        share = (self._cpu_seconds(pid) - used) / 20
        resident = int(self._device.output(f"grep VmRSS /proc/{pid}/status").split()[1]) / 1000
        return f"READY after {ready:.1f} s, {resident:.0f} MB resident, {share:.0%} of a core"

    def killed(self) -> str:
        """As by a kernel short of memory."""
        self._device.run(f"kill -KILL {self._pid()}")
        return self._comes_back(1)

    def hung(self) -> str:
        """A process that does nothing any more."""
        self._device.run(f"kill -STOP {self._pid()}")
        return self._comes_back(2)

    def reload(self) -> str:
        """The wrong one is named in the journal and changes nothing; the right one is tried and kept."""
        pid = self._pid()
        file = "/etc/edge-anpr/config.toml"

        def reload_until(words: str) -> float:
            self._device.run("systemctl reload edge-anpr")
            journal = "journalctl -u edge-anpr --no-pager --since=-2min"
            return wait_until(lambda: words in self._device.output(journal), 60, words)

        self._device.run(f"cp {file} good.toml; echo nonsense = 1 >> {file}")
        reload_until("reload: nothing was changed")
        self._device.run(f"cp good.toml {file}")
        seconds = reload_until("reload: the new configuration works")
        expect(self._pid() == pid, "it was started again")
        return f"refused with its line; then taken after {seconds:.0f} s"

    def refused(self, bundle: Path) -> str:
        """One sentence, and the old release goes on."""
        before, pid = self._status()["release"]["name"], self._pid()
        self._put(bundle, "refused.tar")
        ended = self._device.run(f"{_COMMAND} release install refused.tar", check=False)
        expect(ended.returncode == 1, f"exit code {ended.returncode}")
        expect(len(ended.stderr.strip().splitlines()) == 1, ended.stderr)
        expect((self._status()["release"]["name"], self._pid()) == (before, pid), "something changed")
        return ended.stderr.strip().removeprefix("edge-anpr: ")

    def deploy_with_full_outbox(self) -> str:
        """Events wait for a broker that is away; they outlive the update."""
        self._broker.off()
        wait_until(lambda: self._waiting() >= 15, 120, "15 events in the outbox")
        waiting = self._waiting()
        began = time.monotonic()
        ended = self._deploy(self._bundles.second)
        self._deploy_seconds = time.monotonic() - began
        self._broker.on()
        expect(ended.returncode == 0, ended.stdout + ended.stderr)
        wait_until(lambda: self._waiting() == 0, 60, "an empty outbox")
        reads = self._broker.reads(self._device.name)
        lost = set(range(1, max(reads) + 1)) - set(reads)
        expect(not lost, f"lost: {sorted(lost)}")
        return f"{waiting} waited, {len(reads)} reads in all, none missing"

    def deploy_broken(self) -> str:
        """Passes its self-test, and ends as soon as it runs."""
        before = self._status()["release"]["name"]
        began = time.monotonic()
        ended = self._deploy(self._bundles.broken)
        seconds = time.monotonic() - began
        expect(ended.returncode == 1, f"exit code {ended.returncode}: {ended.stdout}")
        expect(self._status()["release"]["name"] == before, "the broken release stayed")
        wait_until(lambda: self._status()["service"] == "active", 60, "an active service")
        return f"back after {seconds:.0f} s: {_last_line(ended.stdout)}"

    def deploy_models(self) -> str:
        """A second of copying; the code stays."""
        before = self._status()["release"]
        began = time.monotonic()
        ended = self._deploy(self._bundles.models, "--models")
        expect(ended.returncode == 0, ended.stdout + ended.stderr)
        after = self._status()["release"]
        expect(after["name"] != before["name"], "nothing changed")
        expect(after["commit"] == before["commit"], "the code changed")
        return f"{after['name']} after {time.monotonic() - began:.0f} s, {self._watch} of them watching"

    def deploy_bad_models(self) -> str:
        """Signed, and misreading: the self-test on the device finds it."""
        before, pid = self._status()["release"]["name"], self._pid()
        ended = self._deploy(self._bundles.bad_models, "--models")
        expect(ended.returncode == 1, f"exit code {ended.returncode}")
        expect((self._status()["release"]["name"], self._pid()) == (before, pid), "something changed")
        return _last_line(ended.stdout)

    def rollback(self) -> str:
        """From the workstation."""
        status = self._status()
        before, previous = status["release"]["name"], status["previous"]
        began = time.monotonic()
        ended = self._remote("rollback", self._device.address)
        expect(ended.returncode == 0, ended.stdout + ended.stderr)
        after = self._status()
        expect((after["release"]["name"], after["previous"]) == (previous, before), f"{after}")
        return f"{before} -> {previous} in {time.monotonic() - began:.0f} s"

    def cut(self, cuts: int) -> str:
        """The device runs one whole release each time."""
        seen: dict[str, int] = {}
        choice = random.Random(7)
        moments: list[float] = []
        for number in range(cuts):
            current = self._status()["release"]["name"]
            bundle = self._bundles.first if current in self._bundles.second.name else self._bundles.second
            with self._deploying(bundle) as process:
                moments.append(self._deploy_seconds * (number + choice.random()) / cuts)
                time.sleep(moments[-1])
                self._device.cut_power()
                process.wait()
            self._device.boot()
            wait_until(lambda: self._status()["service"] == "active", 60, "an active service")
            self._device.run(f"{_COMMAND} release verify && {_COMMAND} self-test")
            wait_until(lambda: not self._status()["on_trial"], 90, "a settled release")
            name = self._status()["release"]["name"]
            seen[name] = seen.get(name, 0) + 1
        after = ", ".join(f"{name} {count}×" for name, count in seen.items())
        return f"at {', '.join(f'{moment:.0f}' for moment in moments)} of {self._deploy_seconds:.0f} s; then {after}"

    def uninstall(self) -> str:
        """Nothing of ours is left."""
        self._device.run(f"{_COMMAND} release uninstall")
        kept = self._device.output(
            "ls -d /etc/edge-anpr/config.toml /var/lib/private/edge-anpr /opt/edge-anpr 2>/dev/null"
        )
        expect(kept.split() == ["/etc/edge-anpr/config.toml", "/var/lib/private/edge-anpr"], kept)
        self._put(self._bundles.first, "bundle.tar")
        self._device.run(f"sh install.sh bundle.tar --watch {self._watch} && edge-anpr release uninstall --purge")
        left = self._device.output("find / -xdev -name '*edge-anpr*' -not -path '/proc/*' -not -path '/var/log/*'")
        expect(left == "", f"left: {left}")
        return "configuration and outbox stayed, then went"

    # ---- means --------------------------------------------------------------------------------------

    def _check(self, what: str, attempt: Callable[[], str]) -> None:
        self._report.check(self._where, what, attempt)

    def _put(self, path: Path, name: str) -> None:
        shutil.copyfile(path, self._device.root / "root" / name)

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self._device.run(f"{_COMMAND} release status --json").stdout)
        return status

    def _waiting(self) -> int:
        return int(((self._status()["status"] or {}).get("telemetry") or {}).get("events_waiting", -1))

    def _pid(self) -> str:
        return self._device.output("systemctl show edge-anpr -p MainPID --value")

    def _cpu_seconds(self, pid: str) -> float:
        fields = self._device.output(f"cat /proc/{pid}/stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _comes_back(self, restarts: int) -> str:
        def is_back() -> bool:
            shown = self._device.output("systemctl show edge-anpr -p NRestarts,ActiveState")
            return f"NRestarts={restarts}" in shown and "ActiveState=active" in shown

        return f"active again after {wait_until(is_back, 120, 'a restart'):.0f} s"

    def _deploying(self, bundle: Path, *words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "converters.deploy", "deploy", "--bundle", str(bundle), *words]
        command += ["--key", str(self._bundles.key), "--watch", str(self._watch), "--allow-older", self._device.address]
        return subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=self._environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def _deploy(self, bundle: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        with self._deploying(bundle, *words) as process:
            output, _ = process.communicate()
        return subprocess.CompletedProcess([], process.returncode, output, "")

    def _remote(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "converters.deploy", *words]
        return subprocess.run(
            command, cwd=REPOSITORY, env=self._environment(), capture_output=True, text=True, check=False
        )

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "EDGE_ANPR_SSH": " ".join(self._lab.ssh)}


def python_of(tree: Path) -> str:
    """The Python of a root file system."""
    found = re.fullmatch(r"python(3\.\d+)", (tree / "usr/bin/python3").readlink().name)
    assert found is not None
    return found[1]


def _last_line(words: str) -> str:
    return (words.strip().splitlines() or [""])[-1]


def deploy_to_many(
    devices: Sequence[Container], lab: Lab, bundle: Path, key: Path, unreachable: str, watch: int
) -> str:
    """Several at once, one of which fails, as the table shows."""
    command = [sys.executable, "-m", "converters.deploy", "deploy", "--bundle", str(bundle), "--key", str(key)]
    command += ["--watch", str(watch), "--keep-going", "--jobs", "5", *(device.address for device in devices)]
    environment = {**os.environ, "EDGE_ANPR_SSH": " ".join(lab.ssh)}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    last = {line.split()[0]: line.split("  ", 1)[1].strip() for line in ended.stdout.splitlines() if "  " in line}
    expect(ended.returncode == 1, f"exit code {ended.returncode}: {ended.stdout}{ended.stderr}")
    for device in devices:
        wanted = "failed" if device.address == unreachable else "done"
        expect(last[device.address].startswith(wanted), f"{device.address}: {last[device.address]}")
    return "; ".join(f"{address} {words}" for address, words in last.items())
