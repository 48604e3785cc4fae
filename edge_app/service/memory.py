"""How much memory the process has, and may have: it ends in good order before the kernel kills it."""

import os
from dataclasses import dataclass
from pathlib import Path

from edge_app.errors import EdgeAnprError

_MOST = 0.9
"""Share of the memory allowed to the service at which it is time to go."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Of this process; `root` is another place than `/` in tests."""

    root: Path = Path("/")

    def limit(self) -> int | None:
        """`MemoryMax=` of the service, in bytes; None without one."""
        try:
            group = (self.root / "proc/self/cgroup").read_text(encoding="utf-8").rpartition("::")[2].strip()
            words = (self.root / "sys/fs/cgroup" / group.lstrip("/") / "memory.max").read_text(encoding="ascii")
        except OSError:
            return None
        return int(words) if words.strip().isdecimal() else None

    def resident(self) -> int:
        """What is in memory, in bytes."""
        pages = (self.root / "proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def check(self) -> None:
        """Raise an error if it is time to go."""
        limit = self.limit()
        if limit is not None and (used := self.resident()) > limit * _MOST:
            raise EdgeAnprError(
                f"{used / 1e6:.0f} MB of memory are used, {limit / 1e6:.0f} allowed: ending in good order, to be"
                " started again; if this repeats, raise MemoryMax= (`systemctl edit edge-anpr`)"
            )
