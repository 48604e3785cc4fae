"""The same work on several hosts, some at a time, and a table of how far each is."""

import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from converters.deploy.host import DeployError, Host

Work = Callable[[Host, Callable[[str], None]], str]
"""Does something to a host, reporting each step; the last word about it, or `DeployError`."""

DONE, FAILED, NOT_BEGUN = "done", "failed", "not begun"


class Table:
    """One line for each host: rewritten on a terminal, otherwise printed as it changes."""

    def __init__(self, names: Sequence[str], out: TextIO = sys.stdout) -> None:
        self._rows = dict.fromkeys(names, "waits")
        self._width = max(len(name) for name in names)
        self._out = out
        self._lock = threading.Lock()
        self._is_drawn = False

    def set(self, name: str, words: str) -> None:
        """Show how far a host is."""
        with self._lock:
            if self._rows[name] == words:
                return
            self._rows[name] = words
            if self._out.isatty():
                if self._is_drawn:
                    self._out.write(f"\x1b[{len(self._rows)}A")
                self._out.writelines(f"\x1b[2K{name:<{self._width}}  {row}\n" for name, row in self._rows.items())
                self._is_drawn = True
            elif not words.endswith("%"):
                self._out.write(f"{name:<{self._width}}  {words}\n")
            self._out.flush()


def work_on(hosts: Sequence[Host], work: Work, jobs: int, keep_going: bool, table: Table) -> dict[str, str]:
    """Do the work on each host; how it ended on each: done, failed, or not begun after another's failure."""
    stop = threading.Event()
    ends = {host.name: NOT_BEGUN for host in hosts}

    def one(host: Host) -> None:
        if stop.is_set():
            table.set(host.name, f"{NOT_BEGUN}: another failed (--keep-going goes on)")
            return
        try:
            words = work(host, lambda step: table.set(host.name, step))
        except DeployError as error:
            ends[host.name] = FAILED
            table.set(host.name, f"{FAILED}: {error}")
            if not keep_going:
                stop.set()
        else:
            ends[host.name] = DONE
            table.set(host.name, f"{DONE}: {words}")

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for future in [pool.submit(one, host) for host in hosts]:
            future.result()
    return ends
