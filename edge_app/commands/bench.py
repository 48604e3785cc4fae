"""Measure this machine: milliseconds of each stage, frames a second, memory."""

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_app import config
from edge_app.app import open_video
from edge_app.config import Settings
from edge_app.demo import CLIP
from edge_app.records import Frame
from edge_app.stages import Stages, build_stages, load_networks
from edge_app.tflite_model import SLOW_RUNTIME, runtime_name

_EVERY = 12
"""One frame of this number of the clip is measured."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--config", type=Path, metavar="FILE", help="take models and threads from this file")


def run(arguments: argparse.Namespace) -> int:
    """Measure on one thread and, if more are set, on those."""
    settings = config.load(arguments.config) if arguments.config else Settings()
    first, *others = sorted({1, settings.models.threads})
    runs = [_measure(settings, first)]
    memory_mb = _most_memory_mb()  # now: loading again for other threads would be counted too
    runs += [_measure(settings, threads) for threads in others]
    report = _machine(settings) | {"runs": runs, "memory_mb": memory_mb}
    print(json.dumps(report) if arguments.json else as_text(report))
    return 0


def _machine(settings: Settings) -> dict[str, Any]:
    networks = load_networks(settings)
    return {
        "machine": platform.machine(),
        "runtime": runtime_name(),
        "models": {network.manifest.name: network.manifest.version for network in networks},
    }


def _measure(settings: Settings, threads: int) -> dict[str, Any]:
    stages = build_stages(replace(settings, models=replace(settings.models, threads=threads)))
    times: dict[str, list[float]] = {name: [] for name in ("detect", "align", "rectify", "read", "vote", "frame")}
    frames = _frames()
    stages.detector.find(next(frames))  # the first call allocates
    for frame in frames:
        began = time.perf_counter()
        _one_frame(stages, frame, times)
        times["frame"].append((time.perf_counter() - began) * 1e3)
    return {
        "threads": threads,
        "stages_ms": {name: _summary(values) for name, values in times.items() if values},
        "frames_per_second": round(1e3 / float(np.mean(times["frame"])), 1),
    }


def _frames() -> Iterator[Frame]:
    """Frames spread over the demo's clip, one in memory at a time."""
    with closing(open_video(CLIP)) as source:
        yield from (frame for frame in source.frames() if frame.sequence % _EVERY == 0)


def _most_memory_mb() -> int:
    """The most this process has held: `ru_maxrss` would begin with what the program held that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def _one_frame(stages: Stages, frame: Frame, times: dict[str, list[float]]) -> None:
    for detection in _timed(times["detect"], stages.detector.find, frame):
        plate = _timed(times["align"], stages.aligner.align, frame.image_bgr, detection)
        strip = _timed(times["rectify"], stages.rectifier.rectify, frame.image_bgr, plate)
        reading = _timed(times["read"], stages.reader.read, strip)
        _timed(times["vote"], stages.voter.settle, [reading])


def _timed(times: list[float], stage: Callable[..., Any], *arguments: Any) -> Any:
    """What the stage gives, its milliseconds noted."""
    began = time.perf_counter()
    result = stage(*arguments)
    times.append((time.perf_counter() - began) * 1e3)
    return result


def _summary(values: list[float]) -> dict[str, float]:
    return {"median": round(float(np.median(values)), 2), "p95": round(float(np.percentile(values, 95)), 2)}


def as_text(report: dict[str, Any]) -> str:
    """A table for people."""
    models = ", ".join(f"{name} {version}" for name, version in report["models"].items())
    lines = [f"{report['machine']}, {report['runtime']}, {models}"]
    if report["runtime"] == SLOW_RUNTIME:
        lines.append("this runtime has no XNNPACK for int8: ai-edge-litert runs the networks several times faster")
    for each in report["runs"]:
        lines.append(f"\n{each['threads']} thread(s): {each['frames_per_second']} frames a second")
        lines += [
            f"  {name:<8} {figures['median']:>8.2f} ms median {figures['p95']:>8.2f} ms p95"
            for name, figures in each["stages_ms"].items()
        ]
    return "\n".join([*lines, f"\nmost memory: {report['memory_mb']} MB"])
