"""What one device goes through: from the first installation to the last word."""

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.trial.broker import PASSWORD, PORT, USER, Broker, wait_until
from benchmarks.trial.bundles import Bundler
from benchmarks.trial.containers import Container, Lab
from benchmarks.trial.report import Report, expect
from converters.bundle.making import Target
from training.repository import REPOSITORY

_CONFIGURATION = """[device]
name = "{name}"
[camera]
name = "road"
source = "{source}"
[tracking]
reappear_seconds = 1.0
[models]
threads = 1
[mqtt]
host = "{broker}"
port = {port}
images = false
{more}
"""
CLIP = "file:/opt/edge-anpr/current/site/edge_app/demo/clip.mp4"
_COMMAND = "/usr/local/bin/edge-anpr"
_FOUNDATION = 3
_SOON_SECONDS = 240.0
"""For what takes some seconds on a machine that does nothing else."""
_PATIENCE_SECONDS = 900.0
"""For what takes a minute or two there."""
_MOST_EXPOSURE = 1.8
REFUSALS = (
    "an altered payload",
    "an altered manifest",
    "payload and manifest altered alike",
    "an altered signature",
    "no signature",
    "another key's signature",
    "an older version",
    "another architecture",
    "another Python",
    "a file cut off",
)
"""As `Bundler.refusals` has them."""


class DeviceTrial:
    """One container, and what is done to it: one method a row of the report, so more than twenty."""

    def __init__(
        self,
        container: Container,
        where: str,
        lab: Lab,
        bundler: Bundler,
        target: Target,
        broker: Broker,
        report: Report,
        watch: int,
    ) -> None:
        self._device = container
        self._where = where
        self._lab = lab
        self._bundler = bundler
        self._target = target
        self._broker = broker
        self._report = report
        self._watch = watch
        self._deploy_seconds: float | None = None
        """How long a whole deploy takes here, once one was made."""

    @staticmethod
    def rows(cuts: int) -> dict[str, str]:
        """What is tried, in this order, and the method that tries it; the first three are what the others need."""
        return {
            "install from the bundle, no network": "install",
            "not configured: waits quietly": "waits_quietly",
            "start to READY, reads in mosquitto, RSS, CPU": "start",
            "systemd-analyze security": "security",
            "doctor: all is well": "doctor_well",
            "doctor: what the service cannot read": "doctor_unreadable",
            "password as a credential; doctor": "credential",
            "SIGKILL: back by itself": "killed",
            "hung: killed by the watchdog, and back": "hung",
            "systemctl reload: a wrong file, then a right one": "reload",
            "start with a wrong file: the last good one": "last_good",
            "no file was ever good: failed, doctor says so": "never_good",
            "a recording without loop: ends, and stays so": "recording",
            **{f"refused: {what}": f"refused {what}" for what in REFUSALS},
            "deploy with a full outbox: nothing lost": "deploy_with_full_outbox",
            "broken release: rolled back by itself": "deploy_broken",
            "models alone": "deploy_models",
            "bad models: refused": "deploy_bad_models",
            "rollback": "rollback",
            "status over ssh": "status",
            "a damaged model: the previous release": "damaged",
            **({f"power cut at {cuts} random moments": f"cut {cuts}"} if cuts else {}),
            "full disk, read-only root: reads arrive": "full_disk",
            "uninstall, then --purge": "uninstall",
        }

    def run(self, cuts: int) -> None:
        """Every row that is asked for, after what all of them need."""
        for number, (what, words) in enumerate(self.rows(cuts).items()):
            if number < _FOUNDATION or self._report.wants(self._where, what):
                method, _, argument = words.partition(" ")
                attempt = getattr(self, method)
                passed = self._report.check(self._where, what, partial(attempt, argument) if argument else attempt)
                if not passed and number >= _FOUNDATION:
                    self._mend()

    def _mend(self) -> None:
        """After a miss: the configuration and the service as the next row expects them."""
        self._broker.on()
        with contextlib.suppress(RuntimeError):
            self._device.run("rm -rf /etc/systemd/system/edge-anpr.service.d; systemctl daemon-reload")
            self._configure()
            self._device.run("systemctl reset-failed edge-anpr; systemctl restart edge-anpr", check=False)

    def install(self) -> str:
        """By hand, as from a USB stick."""
        expect(self._device.output("ip route get 1.1.1.1") == "", "the device has a way out")
        self._put(self._bundler.made(self._target), "bundle.tar")
        self._put(self._bundler.key.with_suffix(".pub"), "trial.pub")
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
        self._configure()
        began = time.monotonic()
        self._device.run("systemctl start edge-anpr")
        ready = time.monotonic() - began
        wait_until(lambda: len(self._broker.reads(self._device.name)) >= 5, _PATIENCE_SECONDS, "five reads")
        pid = self._pid()
        used = self._cpu_seconds(pid)
        time.sleep(20)
        share = (self._cpu_seconds(pid) - used) / 20
        resident = int(self._device.output(f"grep VmRSS /proc/{pid}/status").split()[1]) / 1000
        return f"READY after {ready:.1f} s, {resident:.0f} MB resident, {share:.0%} of a core"

    def security(self) -> str:
        """What systemd thinks of the sandbox."""
        words = self._device.output("systemd-analyze security --no-pager edge-anpr.service | tail -1")
        found = re.search(r"exposure level for .*: (\d+\.\d+)", words)
        expect(found is not None and float(found[1]) <= _MOST_EXPOSURE, words)
        return words.split(":", 1)[1].strip()

    def doctor_well(self) -> str:
        """While the service has the camera and the broker."""
        findings = self._doctor(expected=0)
        for subject in ("service", "camera", "configuration", "broker", "models", "disk", "release"):
            expect(findings[subject]["state"] == "ok", f"{subject}: {findings[subject]['words']}")
        return f"{len(findings)} findings; {findings['service']['words']}; {findings['release']['words']}"

    def doctor_unreadable(self) -> str:
        """A file that root can read and the service cannot."""
        self._device.run("chmod 600 /etc/edge-anpr/config.toml")
        words = self._doctor(expected=1)["configuration"]["words"]
        self._device.run("chmod 644 /etc/edge-anpr/config.toml")
        expect("cannot be read (Permission denied)" in words, words)
        return words

    def credential(self) -> str:
        """A password that systemd hands to the service alone."""
        folder = "/etc/systemd/system/edge-anpr.service.d"
        drop_in = "[Service]\nLoadCredential=mqtt-password:/etc/edge-anpr/secret\n"
        self._device.run(f"umask 077; cat > /etc/edge-anpr/secret; mkdir {folder}", stdin=PASSWORD)
        self._device.run(f"cat > {folder}/secret.conf; chmod -R a+rX {folder}; systemctl daemon-reload", stdin=drop_in)
        self._configure(port=PORT + 1, broker_lines=f'username = "{USER}"\nallow_plaintext_password = true')
        self._device.run("systemctl restart edge-anpr")
        self._wait_for("broker")
        words = self._doctor(expected=0)["broker"]["words"]
        self._device.run(f"rm -r {folder} /etc/edge-anpr/secret; systemctl daemon-reload")
        self._configure()
        self._device.run("systemctl restart edge-anpr")
        self._wait_for("broker")
        return words

    def killed(self) -> str:
        """As by a kernel short of memory."""
        before = self._restarts()
        self._device.run(f"kill -KILL {self._pid()}")
        return self._comes_back(before)

    def hung(self) -> str:
        """A process that does nothing any more."""
        before = self._restarts()
        self._device.run(f"kill -STOP {self._pid()}")
        return self._comes_back(before)

    def reload(self) -> str:
        """The wrong one is named in the journal and changes nothing; the right one is tried and kept."""
        pid = self._pid()
        file = "/etc/edge-anpr/config.toml"

        def reload_until(words: str) -> float:
            self._device.run("systemctl reload edge-anpr")
            journal = "journalctl -u edge-anpr --no-pager --since=-2min"
            return wait_until(lambda: words in self._device.output(journal), _SOON_SECONDS, words)

        self._device.run(f"cp {file} good.toml; echo nonsense = 1 >> {file}")
        reload_until("reload: nothing was changed")
        self._device.run(f"cp good.toml {file}")
        seconds = reload_until("reload: the new configuration works")
        expect(self._pid() == pid, "it was started again")
        return f"refused with its line; then taken after {seconds:.0f} s"

    def last_good(self) -> str:
        """After a restart with nonsense in the file, as by a power cut after a bad edit."""
        self._device.run("echo nonsense = 1 >> /etc/edge-anpr/config.toml; systemctl restart edge-anpr")
        self._wait_for("camera")
        words = self._doctor(expected=1)["configuration in use"]["words"]
        errors = self._device.output("journalctl -u edge-anpr -p err --no-pager --since=-5min")
        expect("THE LAST GOOD CONFIGURATION IS USED" in errors, errors)
        self._configure()
        self._device.run("systemctl reload edge-anpr")
        unknown = {"configuration": {"wrong": "while it does not answer"}}
        wait_until(
            lambda: (self._status()["status"] or unknown)["configuration"]["wrong"] is None,
            _SOON_SECONDS,
            "the right file",
        )
        return words

    def never_good(self) -> str:
        """The first configuration is wrong: exit code 2, once, and no restart."""
        folder = "/var/lib/private/edge-anpr"
        self._device.run(f"systemctl stop edge-anpr; mv {folder}/last-good.toml /root/")
        self._device.run("echo nonsense = 1 >> /etc/edge-anpr/config.toml; systemctl start edge-anpr", check=False)
        shown = self._device.output("systemctl show edge-anpr -p NRestarts,ExecMainStatus,ActiveState")
        expect(sorted(shown.split()) == ["ActiveState=failed", "ExecMainStatus=2", "NRestarts=0"], shown)
        errors = self._device.output("journalctl -u edge-anpr -p err --no-pager --since=-1min")
        expect("config.toml:" in errors, f"no last words at priority err: {errors}")
        words = self._doctor(expected=1)["service"]["words"]
        self._configure()
        self._device.run(f"mv /root/last-good.toml {folder}/; systemctl restart edge-anpr")
        return words

    def recording(self) -> str:
        """Ended successfully is not failed."""
        self._configure(source=CLIP)
        self._device.run("systemctl restart edge-anpr")
        wait_until(
            lambda: self._device.output("systemctl is-active edge-anpr") == "inactive", _PATIENCE_SECONDS, "the end"
        )
        shown = self._device.output("systemctl show edge-anpr -p NRestarts,Result,ExecMainStatus")
        expect(sorted(shown.split()) == ["ExecMainStatus=0", "NRestarts=0", "Result=success"], shown)
        self._configure()
        self._device.run("systemctl start edge-anpr")
        return "inactive, result success"

    def refused(self, what: str) -> str:
        """One sentence, and the old release goes on."""
        bundle = self._bundler.refusals(self._target.python)[what]
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
        wait_until(lambda: self._waiting() >= 15, _PATIENCE_SECONDS, "15 events in the outbox")
        waiting = self._waiting()
        self._deploy_whole(self._bundler.second(self._target))
        self._broker.on()
        wait_until(lambda: self._waiting() == 0, _SOON_SECONDS, "an empty outbox")
        reads = self._broker.reads(self._device.name)
        lost = set(range(1, max(reads) + 1)) - set(reads)
        expect(not lost, f"lost: {sorted(lost)}")
        return f"{waiting} waited, {len(reads)} reads in all, none missing"

    def deploy_broken(self) -> str:
        """Passes its self-test, and ends as soon as it runs."""
        before = self._status()["release"]["name"]
        began = time.monotonic()
        ended = self._deploy(self._bundler.broken(self._target))
        seconds = time.monotonic() - began
        expect(ended.returncode == 1, f"exit code {ended.returncode}: {ended.stdout}")
        expect(self._status()["release"]["name"] == before, "the broken release stayed")
        wait_until(lambda: self._status()["service"] == "active", _SOON_SECONDS, "an active service")
        errors = self._device.output("journalctl -u edge-anpr -p err --no-pager")
        expect("broken on purpose" in errors, f"no last words at priority err: {errors[-300:]}")
        return f"back after {seconds:.0f} s: {_last_line(ended.stdout)}"

    def deploy_models(self) -> str:
        """A second of copying; the code stays."""
        before = self._status()["release"]
        began = time.monotonic()
        ended = self._deploy(self._bundler.models(), "--models")
        expect(ended.returncode == 0, ended.stdout + ended.stderr)
        after = self._status()["release"]
        expect(after["name"] != before["name"], "nothing changed")
        expect(after["commit"] == before["commit"], "the code changed")
        return f"{after['name']} after {time.monotonic() - began:.0f} s, {self._watch} of them watching"

    def deploy_bad_models(self) -> str:
        """Signed, and misreading: the self-test on the device finds it."""
        before, pid = self._status()["release"]["name"], self._pid()
        ended = self._deploy(self._bundler.bad_models(), "--models")
        expect(ended.returncode == 1, f"exit code {ended.returncode}")
        expect((self._status()["release"]["name"], self._pid()) == (before, pid), "something changed")
        return _last_line(ended.stdout)

    def rollback(self) -> str:
        """From the workstation."""
        status = self._status_with_previous()
        before, previous = status["release"]["name"], status["previous"]
        began = time.monotonic()
        ended = self._remote("rollback", self._device.address)
        expect(ended.returncode == 0, ended.stdout + ended.stderr)
        after = self._status()
        expect((after["release"]["name"], after["previous"]) == (previous, before), f"{after}")
        return f"{before} -> {previous} in {time.monotonic() - began:.0f} s"

    def status(self) -> str:
        """What the operator at the workstation sees."""
        ended = self._remote("status", self._device.address)
        expect(ended.returncode == 0, ended.stdout + ended.stderr)
        shown = ended.stdout[ended.stdout.index("release") :]
        for words in (self._status()["release"]["name"], "models", "outbox", "broker"):
            expect(words in shown, f"{words} is missing: {shown}")
        return "; ".join(" ".join(line.split()) for line in shown.strip().splitlines())

    def damaged(self) -> str:
        """A byte of a network rots: the release before comes back by itself."""
        status = self._status_with_previous()
        broken, before = status["release"]["name"], status["previous"]
        model = "/opt/edge-anpr/current/models/plate_reader.tflite"
        # A copy first: the two releases share the file.
        self._device.run(f"cp {model} m && printf x | dd of=m bs=1 seek=9999 conv=notrunc && mv m {model}")
        words = self._doctor(expected=1)["release"]["words"]
        began = time.monotonic()
        self._device.run("systemctl restart edge-anpr", check=False)
        wait_until(lambda: self._status()["release"]["name"] == before, _SOON_SECONDS, "the previous release")
        self._wait_for("camera")
        return f"{words}; {broken} -> {before} in {time.monotonic() - began:.0f} s"

    def cut(self, count: str) -> str:
        """The device runs one whole release each time."""
        cuts, first, second = int(count), self._bundler.made(self._target), self._bundler.second(self._target)
        whole = self._deploy_seconds or self._deploy_whole(second)
        seen: dict[str, int] = {}
        moments: list[float] = []
        for number in range(cuts):
            current = self._status()["release"]["name"]
            bundle = first if current in second.name else second
            with self._deploying(bundle) as process:
                moments.append(whole * (number + random.random()) / cuts)
                time.sleep(moments[-1])
                self._device.cut_power()
                process.wait()
            self._device.boot()
            wait_until(lambda: self._status()["service"] == "active", _SOON_SECONDS, "an active service")
            self._device.run(f"{_COMMAND} release verify && {_COMMAND} self-test")
            wait_until(lambda: not self._status()["on_trial"], _SOON_SECONDS, "a settled release")
            name = self._status()["release"]["name"]
            seen[name] = seen.get(name, 0) + 1
        after = ", ".join(f"{name} {count}×" for name, count in seen.items())
        return f"at {', '.join(f'{moment:.0f}' for moment in moments)} of {whole:.0f} s; then {after}"

    def full_disk(self) -> str:
        """A state folder with hardly any room, below a root that cannot be written."""
        self._device.run(
            "systemctl stop edge-anpr; mount -t tmpfs -o size=20m,mode=755 tmpfs /var/lib/private/edge-anpr;"
            " mount -t tmpfs tmpfs /var/tmp; mount -o remount,ro,bind /; systemctl start edge-anpr"
        )
        self._wait_for("broker")
        earlier = self._broker.count(self._device.name)
        wait_until(lambda: self._broker.count(self._device.name) >= earlier + 3, _PATIENCE_SECONDS, "three reads")
        disk = self._status()["status"]["parts"]["disk"]["state"]
        self._device.run("cat > /run/bundle.tar", stdin="no bundle")
        refused = self._device.run(f"{_COMMAND} release install /run/bundle.tar", check=False).stderr.strip()
        self._device.run(
            "systemctl stop edge-anpr; mount -o remount,rw,bind /; umount /var/tmp /var/lib/private/edge-anpr;"
            " systemctl start edge-anpr"
        )
        expect(disk == "full", f"the disk is {disk}")
        expect("is read-only: make it writable first" in refused, refused)
        return f"disk {disk}, three reads came; {refused.removeprefix('edge-anpr: ')}"

    def uninstall(self) -> str:
        """Nothing of ours is left."""
        self._device.run(f"{_COMMAND} release uninstall")
        kept = self._device.output(
            "ls -d /etc/edge-anpr/config.toml /var/lib/private/edge-anpr /opt/edge-anpr 2>/dev/null"
        )
        expect(kept.split() == ["/etc/edge-anpr/config.toml", "/var/lib/private/edge-anpr"], kept)
        self._put(self._bundler.made(self._target), "bundle.tar")
        self._device.run(f"sh install.sh bundle.tar --watch {self._watch} && edge-anpr release uninstall --purge")
        left = self._device.output("find / -xdev -name '*edge-anpr*' -not -path '/proc/*' -not -path '/var/log/*'")
        expect(left == "", f"left: {left}")
        return "configuration and outbox stayed, then went"

    # ---- means --------------------------------------------------------------------------------------

    def _configure(self, source: str = f"{CLIP}?loop=1&speed=1", port: int = PORT, broker_lines: str = "") -> None:
        words = _CONFIGURATION.format(
            name=self._device.name, source=source, broker=self._device.host_address, port=port, more=broker_lines
        )
        self._device.run("cat > /etc/edge-anpr/config.toml", stdin=words)

    def _doctor(self, expected: int) -> dict[str, dict[str, str]]:
        """What doctor finds, by subject."""
        ended = self._device.run("edge-anpr doctor --json", check=False)
        expect(ended.returncode == expected, f"exit code {ended.returncode}: {ended.stdout}{ended.stderr}")
        return {each["subject"]: each for each in json.loads(ended.stdout)["findings"]}

    def _wait_for(self, part: str) -> None:
        """Until a part of the service is well."""

        def is_well() -> bool:
            return bool(((self._status()["status"] or {}).get("parts") or {}).get(part, {}).get("well"))

        wait_until(is_well, _SOON_SECONDS, f"{part}: well")

    def _restarts(self) -> int:
        return int(self._device.output("systemctl show edge-anpr -p NRestarts --value"))

    def _put(self, path: Path, name: str) -> None:
        shutil.copyfile(path, self._device.root / "root" / name)

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self._device.run(f"{_COMMAND} release status --json").stdout)
        return status

    def _status_with_previous(self) -> dict[str, Any]:
        """With a release to go back to, which is made if no row before this one has left one."""
        if self._status()["previous"] is None:
            self._deploy_whole(self._bundler.second(self._target))
        return self._status()

    def _waiting(self) -> int:
        return int(((self._status()["status"] or {}).get("telemetry") or {}).get("events_waiting", -1))

    def _pid(self) -> str:
        return self._device.output("systemctl show edge-anpr -p MainPID --value")

    def _cpu_seconds(self, pid: str) -> float:
        fields = self._device.output(f"cat /proc/{pid}/stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _comes_back(self, before: int) -> str:
        def is_back() -> bool:
            shown = self._device.output("systemctl show edge-anpr -p NRestarts,ActiveState")
            return f"NRestarts={before + 1}" in shown and "ActiveState=active" in shown

        return f"active again after {wait_until(is_back, _SOON_SECONDS, 'a restart'):.0f} s"

    def _deploying(self, bundle: Path, *words: str) -> "subprocess.Popen[str]":
        command = ["./build.sh", "deploy", "--bundle", str(bundle), *words]
        command += ["--key", str(self._bundler.key), "--watch", str(self._watch), "--allow-older", self._device.address]
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

    def _deploy_whole(self, bundle: Path) -> float:
        """How long a deploy took that was to succeed."""
        began = time.monotonic()
        ended = self._deploy(bundle)
        expect(ended.returncode == 0, ended.stdout)
        self._deploy_seconds = time.monotonic() - began
        return self._deploy_seconds

    def _remote(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["./build.sh", *words], cwd=REPOSITORY, env=self._environment(), capture_output=True, text=True, check=False
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
    """Several at once, one of which fails; the table tells."""
    command = ["./build.sh", "deploy", "--bundle", str(bundle), "--key", str(key)]
    command += ["--watch", str(watch), "--keep-going", "--jobs", "5", *(device.address for device in devices)]
    environment = {**os.environ, "EDGE_ANPR_SSH": " ".join(lab.ssh)}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    last = {line.split()[0]: line.split("  ", 1)[1].strip() for line in ended.stdout.splitlines() if "  " in line}
    expect(ended.returncode == 1, f"exit code {ended.returncode}: {ended.stdout}{ended.stderr}")
    for device in devices:
        wanted = "failed" if device.address == unreachable else "done"
        expect(last[device.address].startswith(wanted), f"{device.address}: {last[device.address]}")
    return "; ".join(f"{address} {words}" for address, words in last.items())
