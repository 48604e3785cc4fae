"""One device, reached with the user's own ssh: its configuration, its keys, its known hosts."""

import hashlib
import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_app.errors import EdgeAnprError

CACHE = ".cache/edge-anpr"
"""Where bundles are put, from the home folder there."""
_CHUNK = 1 << 18
_PROBE = r"""
echo "machine=$(uname -m)"
echo "bits=$(getconf LONG_BIT)"
echo "python=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
echo "is_root=$([ "$(id -u)" = 0 ] && echo yes)"
echo "may_sudo=$(sudo -n true 2>/dev/null && echo yes)"
echo "release=$(readlink /opt/edge-anpr/current | sed 's|.*/||')"
[ -d /opt/edge-anpr ] && place=/opt/edge-anpr || place=/opt
echo "free_kilobytes=$(df -Pk $place | awk 'NR == 2 { print $4 }')"
"""
_NEEDED_KILOBYTES = 600_000


class DeployError(EdgeAnprError):
    """A device is not reached, or does not take what it is given."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a device is."""

    architecture: str
    python: str
    """As in 3.11."""
    release: str
    """Empty if none is installed."""
    is_root: bool


class Host:
    """A device by the name that ssh knows it by."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._ssh = [*shlex.split(os.environ.get("EDGE_ANPR_SSH", "ssh")), "-o", "BatchMode=yes", name]

    def probe(self) -> Facts:
        """Ask what it is; `DeployError` if it cannot take a release at all."""
        lines = self.output(_PROBE).splitlines()
        found = dict(line.split("=", 1) for line in lines if "=" in line)
        if found.get("bits") != "64":
            raise DeployError(f"a {found.get('bits', 'unknown')}-bit system: install the 64-bit one")
        if not found.get("python"):
            raise DeployError("no /usr/bin/python3: apt-get install python3 there first")
        if not (found.get("is_root") or found.get("may_sudo")):
            raise DeployError("neither root nor sudo without a password: log in as root, or allow sudo for this user")
        free = int(found.get("free_kilobytes") or 0)
        if free < _NEEDED_KILOBYTES:
            raise DeployError(
                f"{free / 1000:.0f} MB free at /opt/edge-anpr, {_NEEDED_KILOBYTES / 1000:.0f} wanted: free some"
            )
        return Facts(found["machine"], found["python"], found.get("release", ""), bool(found.get("is_root")))

    def output(self, script: str) -> str:
        """What a shell script prints; `DeployError` with its last words if it fails."""
        ended = subprocess.run([*self._ssh, script], capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise DeployError(_last_line(ended.stderr) or f"exit code {ended.returncode}")
        return ended.stdout

    def copy(self, path: Path, progress: Callable[[int, int], None]) -> str:
        """Copy a file into the cache there, from where an earlier copy was cut off; its path there."""
        size, sha256 = path.stat().st_size, _sha256(path)
        target = f"{CACHE}/{path.name}"
        begun = self.output(
            f"mkdir -p {CACHE}; [ -f {target} ] || touch {target}; wc -c < {target};"
            f" [ $(wc -c < {target}) != {size} ] || sha256sum {target}"
        ).split()
        there = int(begun[0])
        if there == size and begun[1:2] == [sha256]:
            return target
        if there >= size:
            there = 0
        self._send(path, there, target, lambda sent: progress(sent, size))
        if self.output(f"sha256sum {target}").split()[:1] != [sha256]:
            self.output(f"rm -f {target}")
            raise DeployError(f"{path.name} arrived altered; what arrived is deleted: deploy again")
        return target

    def stream(self, script: str, hear: Callable[[str], None]) -> None:
        """Run a shell script, handing on each line that it prints; `DeployError` with its last words if it fails."""
        with subprocess.Popen(
            [*self._ssh, script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            last = ""
            for line in process.stdout:
                last = line.strip().removeprefix("==> ") or last
                hear(last)
        if process.returncode != 0:
            raise DeployError(last.removeprefix("edge-anpr: ") or f"exit code {process.returncode}")

    def _send(self, path: Path, begin: int, target: str, sent: Callable[[int], None]) -> None:
        write = f"head -c {begin} {target} > {target}.new && mv {target}.new {target} && cat >> {target}"
        if begin == 0:
            write = f"cat > {target}"
        with subprocess.Popen(
            [*self._ssh, write], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            try:
                with path.open("rb") as file:
                    file.seek(begin)
                    while chunk := file.read(_CHUNK):
                        process.stdin.write(chunk)
                        sent(file.tell())
                process.stdin.close()
            except BrokenPipeError:
                pass  # its exit code and last words explain more
            words = process.stderr.read().decode(errors="replace")
        if process.returncode != 0:
            raise DeployError(f"copying was cut off ({_last_line(words)}): deploy again, it goes on from there")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _last_line(words: str) -> str:
    lines = words.strip().splitlines()
    return lines[-1] if lines else ""
