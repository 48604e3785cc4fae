"""`python -m training.study.measure FILE`: the time of a run and the memory of a TFLite model, as JSON."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from edge_app.tflite_model import InputShape, ModelManifest, TfliteModel

_FAST = 10
"""Percentile of the runs: what else the machine does only slows them."""

_WARM, _LEAST_RUNS, _LEAST_SECONDS = 3, 10, 1.0


def main() -> None:
    """Load, run for a second, and print the time of the fast runs and how much memory came on top."""
    content = Path(sys.argv[1]).read_bytes()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from now on
    before = _megabytes("VmRSS")
    model = TfliteModel.of(content, ModelManifest("measured", "1.0.0", "study", InputShape(0, 0, 0, "GRAY"), ""))
    pixels = np.random.default_rng(0).integers(0, 256, model.input_shape).astype(np.uint8)
    for _ in range(_WARM):
        model.run(pixels)
    taken: list[float] = []
    began = time.perf_counter()
    while len(taken) < _LEAST_RUNS or time.perf_counter() - began < _LEAST_SECONDS:
        start = time.perf_counter()
        model.run(pixels)
        taken.append((time.perf_counter() - start) * 1000)
    figures = {"milliseconds": float(np.percentile(taken, _FAST)), "peak_megabytes": _megabytes("VmHWM") - before}
    sys.stdout.write(json.dumps(figures))


def _megabytes(field: str) -> float:
    """Of memory, as the kernel counts it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


if __name__ == "__main__":
    main()
