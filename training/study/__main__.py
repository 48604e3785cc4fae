"""The command `python -m training.study`: trains and measures every network of the study, and writes the report."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from edge_app.errors import EdgeAnprError, UsageError
from training.repository import REPOSITORY
from training.study.catalogue import all_networks
from training.study.setting import SETTINGS
from training.study.store import Store


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; 2 for wrong usage."""
    arguments = _parser().parse_args(words)
    try:
        _check(arguments)
        _run(arguments)
    except EdgeAnprError as error:
        print(f"python -m training.study: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _run(arguments: argparse.Namespace) -> None:
    from training.study.judging import judge
    from training.study.shipped import judge_shipped
    from training.study.training import train_network

    networks = all_networks()
    store = Store(arguments.work, SETTINGS["quick" if arguments.quick else arguments.setting], arguments.seed)
    chosen = arguments.only or list(networks)
    results = {}
    for number, name in enumerate(chosen, 1):
        began = time.monotonic()
        print(f"[{number} of {len(chosen)}] {name}", flush=True)
        trained = train_network(networks[name], networks, store)
        if not arguments.train_only:
            results[name] = judge(networks[name], trained, store)
            print(_line(results[name]), f"({time.monotonic() - began:.0f} s)", flush=True)
    if arguments.train_only:
        return
    results |= judge_shipped(store)
    _report(store, results, arguments)


def _report(store: Store, results: dict[str, dict[str, object]], arguments: argparse.Namespace) -> None:
    from training.study.field import run_systems
    from training.study.page import Report, write_page
    from training.study.plots import draw_plots
    from training.study.systems import put_in_place, systems_of
    from training.study.tables import write_classes, write_epochs, write_results, write_systems

    systems = systems_of(results, store, all_networks())
    files = {name: str(result.get("tflite")) for name, result in results.items()}
    figures = run_systems(systems, store, files, arguments.data)
    for system in systems:
        if system.in_file:
            put_in_place(system, store, results[system.name], store.folder / "models" / system.name)
    out, ordered = arguments.out, list(results.values())
    names = [folder.name for folder in arguments.data]
    out.mkdir(parents=True, exist_ok=True)
    write_results(out / "results.csv", ordered)
    write_epochs(out / "epochs.csv", ordered)
    write_classes(out / "classes.csv", ordered)
    write_systems(out / "systems.csv", figures, names)
    draw_plots(out / "plots", ordered)
    report = Report(store.setting, store.seed, _machine(), ordered, figures, names, store.roads().report())
    write_page(report, out / "README.md")
    print(f"{out / 'README.md'}: written")


def _line(result: dict[str, object]) -> str:
    shown = ("accuracy", "int8_accuracy", "exact", "int8_exact", "map50", "int8_map50", "milliseconds")
    return "  ".join(f"{key} {result[key]}" for key in shown if key in result)


def _machine() -> str:
    """What it was measured on, and how busy that was."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = f"{names[0] if names else 'a processor'} ({platform.machine()})"
    return f"{processor} with {os.cpu_count()} cores, for which {os.getloadavg()[1]:.0f} processes waited at its end"


def _check(arguments: argparse.Namespace) -> None:
    networks = all_networks()
    unknown = [name for name in arguments.only if name not in networks]
    if unknown:
        raise UsageError(f"--only {unknown[0]}: no such network; there are: {', '.join(networks)}")
    for folder in arguments.data:
        if not (folder / "labels.jsonl").is_file():
            raise UsageError(f"--data {folder}: no labels.jsonl here; give a dataset folder")
    if arguments.quick and arguments.setting != "full":
        raise UsageError("--quick is the setting `quick`: leave out --setting")
    if arguments.only and arguments.out == _OUT and not arguments.train_only:
        raise UsageError("--only leaves the other networks out of the report: say with --out where it goes")


_OUT = REPOSITORY / "docs/study"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.study",
        description="Train earlier approaches to reading plates on generated data, measure them as int8 models beside "
        "ours, and write a report. What is done already is not done again; a run that was cut off goes on.",
    )
    parser.add_argument("--quick", action="store_true", help="the setting `quick`: under 15 minutes on two cores")
    parser.add_argument(
        "--setting", choices=SETTINGS, default="full", help="how much to learn from, how long (default: %(default)s)"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these networks alone")
    parser.add_argument(
        "--data", type=Path, nargs="+", default=[], metavar="DATASET", help="dataset folders to run systems on as well"
    )
    parser.add_argument("--train-only", action="store_true", help="neither measure nor report; any backend of Keras")
    parser.add_argument(
        "--work", type=Path, default=REPOSITORY / "runs/study", metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument("--out", type=Path, default=_OUT, metavar="DIR", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
