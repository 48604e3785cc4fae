"""Devices for the trial: systemd as PID 1 in a container, its own network, an sshd. Needs root and Debian's tools."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "openssh-server", "iproute2")
ARM_PACKAGES = ("?essential", "python3", "openssh-client", "libstdc++6")
_NETWORK = """[Unit]
Before=ssh.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/sbin/ip address add {address}/30 dev host0
ExecStart=/sbin/ip link set host0 up
[Install]
WantedBy=multi-user.target
"""
_BOOT_SECONDS = 60.0


def make_tree(
    folder: Path,
    suite: str,
    mirror: str,
    architecture: str = "amd64",
    packages: Sequence[str] = PACKAGES,
    name: str | None = None,
) -> Path:
    """A root file system of a Debian release, made once."""
    tree = folder / f"{suite}-{name or architecture}"
    if not tree.exists():
        # A foreign tree is only unpacked: to configure its packages takes an emulator half an hour.
        is_foreign = architecture != "amd64"
        packages, variant = (ARM_PACKAGES, "extract") if is_foreign else (packages, "minbase")
        unfinished = folder / f".{tree.name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = ["mmdebstrap", f"--arch={architecture}", f"--variant={variant}", "--dpkgopt=force-unsafe-io"]
        command += [f"--include={package}" for package in packages]
        subprocess.run([*command, suite, str(unfinished), mirror], check=True, stdout=subprocess.DEVNULL)
        if is_foreign:
            (unfinished / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
            (unfinished / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
        unfinished.rename(tree)
    return tree


def add_layer(tree: Path, folder: Path) -> Path:
    """A folder in `folder` that shows a tree and takes what is written."""
    root, upper, work = folder / "root", folder / "upper", folder / "work"
    for each in (root, upper, work):
        each.mkdir(parents=True)
    options = f"lowerdir={tree},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(root)], check=True)
    return root


def remove_layer(folder: Path) -> None:
    """Delete what was written."""
    subprocess.run(["umount", "--lazy", str(folder / "root")], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def layer_above(tree: Path, folder: Path) -> Iterator[Path]:
    """A writable layer for the time of an attempt."""
    remove_layer(folder)
    try:
        yield add_layer(tree, folder)
    finally:
        remove_layer(folder)


@dataclass
class Lab:
    """Where the containers and the ssh key of the trial live."""

    folder: Path
    ssh: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        key = self.folder / "ssh-key"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        config = self.folder / "ssh-config"
        config.write_text(
            f"IdentityFile {key}\nIdentitiesOnly yes\nUser root\nStrictHostKeyChecking no\n"
            "UserKnownHostsFile /dev/null\nLogLevel ERROR\nConnectTimeout 10\nServerAliveInterval 30\n",
            encoding="utf-8",
        )
        self.ssh = ["ssh", "-F", str(config)]

    @property
    def public_key(self) -> str:
        """What the devices let in."""
        return (self.folder / "ssh-key.pub").read_text(encoding="utf-8")


class Container:
    """One device: a writable layer above a tree, which survives a power cut and goes at the end."""

    def __init__(self, lab: Lab, tree: Path, number: int) -> None:
        self.name = f"ea{number}"
        self.host_address, self.address = f"10.77.{number}.1", f"10.77.{number}.2"
        self._lab = lab
        self._folder = lab.folder / self.name
        self.root = self._folder / "root"
        self._tree = tree
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """A fresh device; one that a trial before left running under this name goes."""
        left = self._folder / "pid"
        if left.exists() and b"systemd-nspawn" in _command_of(int(left.read_text())):
            _kill(int(left.read_text()))
        self.destroy()
        add_layer(self._tree, self._folder)
        keys = self.root / "root/.ssh/authorized_keys"
        keys.parent.mkdir(mode=0o700, exist_ok=True)
        keys.write_text(self._lab.public_key, encoding="utf-8")
        unit = self.root / "etc/systemd/system/trial-network.service"
        unit.write_text(_NETWORK.format(address=self.address), encoding="utf-8")
        wants = self.root / "etc/systemd/system/multi-user.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / unit.name).symlink_to(f"/etc/systemd/system/{unit.name}")
        (self.root / "etc/machine-id").write_text("", encoding="utf-8")

    def boot(self) -> None:
        """Power on, and wait for the sshd."""
        command = ["systemd-nspawn", "--quiet", f"--machine={self.name}", f"--directory={self.root}", "--boot"]
        command += ["--register=no", "--keep-unit", "--console=pipe", "--network-veth", "--link-journal=no"]
        with (self._folder / "console.txt").open("ab") as console:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
            )
        (self._folder / "pid").write_text(str(self._process.pid))
        link = f"ve-{self.name}"
        deadline = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < deadline:
            subprocess.run(
                ["ip", "address", "replace", f"{self.host_address}/30", "dev", link], capture_output=True, check=False
            )
            subprocess.run(["ip", "link", "set", link, "up"], capture_output=True, check=False)
            if self.run("true", check=False).returncode == 0:
                return
            time.sleep(0.3)
        raise RuntimeError(f"{self.name} does not come up; see {self._folder / 'console.txt'}")

    def run(self, command: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """A command on the device, over ssh."""
        words = [*self._lab.ssh, self.address, command]
        ended = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
        if check and ended.returncode != 0:
            raise RuntimeError(f"{self.name}: {command}: {ended.stderr.strip()}{ended.stdout.strip()}")
        return ended

    def output(self, command: str) -> str:
        """What a command prints."""
        return self.run(command, check=False).stdout.strip()

    def cut_power(self) -> None:
        """Kill everything in the container at once."""
        if self._process is None:
            return
        _kill(self._process.pid)
        self._process.wait()
        self._process = None
        time.sleep(0.5)

    def destroy(self) -> None:
        """Power off, and delete what was written."""
        self.cut_power()
        remove_layer(self._folder)


@contextlib.contextmanager
def devices(lab: Lab, trees: Sequence[Path], first: int = 1) -> Iterator[list[Container]]:
    """Booted devices, one of each tree."""
    made = [Container(lab, tree, number) for number, tree in enumerate(trees, start=first)]
    try:
        for container in made:
            container.create()
            container.boot()
        yield made
    finally:
        for container in made:
            container.destroy()


def _command_of(pid: int) -> bytes:
    command = Path(f"/proc/{pid}/cmdline")
    return command.read_bytes() if command.exists() else b""


def _kill(pid: int) -> None:
    """A process and everything it started, at once."""
    for each in _tree_of(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _tree_of(pid: int) -> list[int]:
    """A process and everything it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in children.read_text().split()] if children.exists() else []
    return [pid, *(each for child in found for each in _tree_of(child))]
