"""Try this installation on pictures with known plates, without a camera or a broker.

The networks have to read every plate, and to give the outputs that were recorded when the bundle was made, bit for bit.
Exit code 1: they do not.
"""

import argparse

from edge_app.config import Settings
from edge_app.demo import self_test
from edge_app.errors import EdgeAnprError
from edge_app.recognizer import PlateRecognizer
from edge_app.stages import load_networks, models_directory, stages_around
from edge_app.tflite_model import runtime_name


def add_arguments(_: argparse.ArgumentParser) -> None:
    """The command takes nothing."""


def run(_: argparse.Namespace) -> int:
    """Read, compare, report."""
    settings = Settings()
    networks = load_networks(settings)
    if wrong := list(self_test.misread(PlateRecognizer(stages_around(*networks, settings)))):
        raise EdgeAnprError(f"self-test: {'; '.join(wrong)}")
    count = sum(len(plates) for plates in self_test.known_plates().values())
    print(f"{count} plates of {len(self_test.known_plates())} pictures read")
    recorded, runtime = self_test.recorded_outputs(models_directory(settings)), runtime_name()
    if recorded is None:
        print("no recorded outputs to compare with: only a bundle has them")
    elif runtime != self_test.EXACT_RUNTIME:
        print(f"outputs not compared: {runtime} rounds otherwise than {self_test.EXACT_RUNTIME}")
    else:
        found = self_test.outputs_of(networks)
        if different := sorted(name for name, digest in recorded.items() if found.get(name) != digest):
            raise EdgeAnprError(f"self-test: other outputs than recorded, of {different[0]}; install the release again")
        print(f"{len(recorded)} outputs equal the recorded ones bit for bit, in {runtime}")
    return 0
