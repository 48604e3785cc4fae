"""What the machine is that a bundle has to fit: processor, Python, width of its programs."""

import platform
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from edge_app.errors import RefusedError
from edge_app.service.release.manifest import Manifest

_BITS = 64
_ELF_MACHINES = {62: "x86_64", 183: "aarch64"}
"""`e_machine` of an ELF header."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A device, or an image of one."""

    architecture: str
    bits: int
    """Of a pointer in its Python: 32 on a 32-bit system, also if its kernel has 64."""
    python: str
    """As in 3.11."""

    @classmethod
    def here(cls) -> "Machine":
        """This machine, as the Python that runs this sees it."""
        major, minor = sys.version_info[:2]
        return cls(platform.machine(), struct.calcsize("P") * 8, f"{major}.{minor}")

    @classmethod
    def of_image(cls, root: Path) -> "Machine":
        """The machine that an image is for, by its /usr/bin/python3."""
        program = root / "usr/bin/python3"
        target = program.readlink().name if program.is_symlink() else ""
        found = re.fullmatch(r"python(3\.\d+)", target)
        if found is None:
            raise RefusedError(f"{program}: no Python of the system's; install python3 into the image first")
        header = (program.parent / target).read_bytes()[:20]
        bits = {1: 32, 2: 64}.get(header[4], 0)
        return cls(_ELF_MACHINES.get(struct.unpack_from("<H", header, 18)[0], "unknown"), bits, found[1])

    def check_fits(self, manifest: Manifest) -> None:
        """Refuse a bundle that is for another machine."""
        if self.bits != _BITS:
            raise RefusedError(
                f"this is a {self.bits}-bit system, and the runtime of the networks exists for 64 bits only:"
                " install the 64-bit system (on a Raspberry Pi: Raspberry Pi OS, 64-bit)"
            )
        if manifest.architecture not in (None, self.architecture):
            raise RefusedError(
                f"the bundle is for {manifest.architecture}, this machine is {self.architecture}:"
                f" make one with --arch {self.architecture}"
            )
        if manifest.python not in (None, self.python):
            raise RefusedError(
                f"the bundle is for Python {manifest.python}, this system has {self.python}:"
                f" make one with --python {self.python}"
            )
