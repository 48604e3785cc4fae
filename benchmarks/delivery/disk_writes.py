"""What one event costs the SD card: bytes written, from its commit to its deletion.

Counts what SQLite hands to the kernel (`wchar` of proc_pid_io(5)) beside the event's own size. The deletions of
acknowledged events are written at once, or as `outbox.commit_milliseconds` allows, with the next event.
"""

import argparse
import contextlib
import tempfile
from pathlib import Path

from benchmarks.delivery.vehicles import events
from edge_app.commands.progress import ProgressLine
from edge_app.events.event import encode
from edge_app.outbox.outbox import Outbox
from edge_app.outbox.spilling_queue import Limits


def main() -> None:
    """Measure some ways to write, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2000, help="events for each line (default: %(default)s)")
    arguments = parser.parse_args()
    for together, deleted_at_once in ((1, True), (1, False), (4, False)):
        with tempfile.TemporaryDirectory() as folder:
            print(measure(Path(folder), arguments.events, together, deleted_at_once))


def measure(folder: Path, count: int, together: int, deleted_at_once: bool) -> str:
    """Commit `together` events at a time, and delete them in a write of its own or with the next commit."""
    now, size_bytes, made = 0.0, 0, events("gate-01")
    progress = ProgressLine("written")
    before, peak = written_bytes(), 0
    outbox = Outbox(folder / "outbox.sqlite", Limits(10**9, commit_seconds=1), clock=lambda: now)
    with contextlib.closing(outbox):
        for number in range(0, count, together):
            batch = [next(made) for _ in range(together)]
            outbox.put(*batch)
            waiting = outbox.pending(together)
            size_bytes += sum(len(encode(each.read)) + len(each.image_jpeg or b"") for each in waiting)
            outbox.done((each.position, each.event_id, None) for each in waiting)
            if deleted_at_once:
                now += 2
                outbox.tend()
            peak = max(peak, (folder / "outbox.sqlite-wal").stat().st_size)
            progress(number, count)
    progress(count, count)
    when, each_bytes = "at once" if deleted_at_once else "later", (written_bytes() - before) / count
    return (
        f"{together} committed together, deleted {when}: {each_bytes / 1e3:.1f} kB written an event"
        f" of {size_bytes / count / 1e3:.1f} kB; write-ahead log {peak / 1e6:.1f} MB at most"
    )


def written_bytes() -> int:
    """What this process has written since it began."""
    counters = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counters["wchar"])


if __name__ == "__main__":
    main()
