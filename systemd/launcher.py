#!/usr/bin/python3 -I
"""The command `edge-anpr` of a release: the system's Python with the release's own packages."""

import os
import sys
from pathlib import Path

RELEASE = Path(__file__).resolve().parent.parent
SYSTEM_PACKAGES = Path("/usr/lib/python3/dist-packages")
SYSTEM_PARTS = Path("/etc/edge-anpr/system-parts")
"""Names of parts, such as `cv2`, that are taken from the system instead: a Jetson's OpenCV knows GStreamer."""


def parts() -> list[str]:
    """The folders of the packages that the system might have as well, and is not asked for."""
    left_to_system = SYSTEM_PARTS.read_text(encoding="utf-8").split() if SYSTEM_PARTS.exists() else []
    # Debian 12's picamera2 is built for numpy 1, and would not work with a numpy 2.
    if (SYSTEM_PACKAGES / "picamera2").is_dir() and any(SYSTEM_PACKAGES.glob("numpy-1.*")):
        left_to_system.append("numpy")
    return [str(part) for part in sorted((RELEASE / "parts").iterdir()) if part.name not in left_to_system]


def main() -> int:
    """Check that this is the Python that the release was made for, and run the command."""
    wanted = (RELEASE / "python-version").read_text(encoding="utf-8").strip()
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if here != wanted:
        print(f"edge-anpr: this release is for Python {wanted}, and the system's is {here}: install one for it")
        return 2
    sys.dont_write_bytecode = True  # a release never changes
    sys.path[:0] = [str(RELEASE / "site"), *parts()]
    os.environ["EDGE_ANPR_RELEASE"] = RELEASE.name
    try:
        from edge_app.__main__ import main as edge_anpr
    except Exception as error:  # noqa: BLE001 - whatever a damaged file raises
        print(f"<3>edge-anpr: {RELEASE.name} is damaged ({error!r}): install it again", file=sys.stderr)
        return 3
    return edge_anpr()


if __name__ == "__main__":
    sys.exit(main())
