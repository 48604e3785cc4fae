"""The report `docs/study/README.md`, from measured figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.study.boards import ASSUMED, BOARDS, milliseconds
from training.study.browser import as_html
from training.study.catalogue import all_networks
from training.study.conclusions import conclusions
from training.study.judging import Result
from training.study.published import APPROACHES
from training.study.scores.curves import PAIRS
from training.study.setting import Setting
from training.study.tables import markdown, millions, share

_INTRODUCTION = """# Which network reads plates best on a small board

Our models beside what people tried before: each published approach built again in our own code, taught on the same generated data, scored on the same test split, and run as int8 in the device's runtime. Written by `./build.sh study`; the code is `training/study/`, a small file for each network. Every figure is in [results.csv](results.csv), by class in [classes.csv](classes.csv), by epoch in [epochs.csv](epochs.csv), of complete systems in [systems.csv](systems.csv)."""  # noqa: E501

_DATA = """**Generated plates.** The plate generator draws plates of all our layouts, seen by random cameras: from sharp to lines of 8 pixels, smeared and out of focus. It knows the place of every character. 30 % of the plates bear random letters and digits, so that I, O and Q are as common as other letters. Characters are cut from strips 64 pixels high at these places, with a margin that is as inexact as a segmenter's.

**Handwriting.** MNIST and the A–Z handwriting could not be had here. Digits and letters are drawn from strokes by `training/study/strokes.py`, with random slant, size, thickness and shape.

**The split is by text**: a text is in train, validation or test, whichever its sha256 says, so no plate is on two sides."""  # noqa: E501

_COSTS = """`M parameters` and `M MACs` are millions; float size is four bytes a parameter; `epochs` is the one whose weights were kept, of those trained. Milliseconds and memory are those of the int8 model with one thread in the device's runtime, on the machine that wrote this page: the tenth percentile of a second of runs, for other work ran on it too. If more processes waited than it has cores, they are too high. Memory is by how much the process grew at most."""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Report:
    """What the page is written from."""

    setting: Setting
    seed: int
    machine: str
    results: Sequence[Result]
    systems: Mapping[str, Mapping[str, Any]]
    datasets: Sequence[str]
    labels: Mapping[str, Any]
    """What became of the detection labels."""


def write_page(report: Report, path: Path) -> None:
    """The page as Markdown, and beside it `index.html` for browsers."""
    parts = [
        _INTRODUCTION,
        _run(report),
        "## What to take from it",
        conclusions(report.results, report.systems),
        "## Boards",
        _boards(report.results),
        ASSUMED,
        "## Every network",
        "### Characters",
        _characters(report.results),
        "![Characters right over multiply-accumulates](plots/costs.png)",
        "### Whole plates and texts",
        _plates(report.results),
        "### Boxes",
        _boxes(report.results),
        "### What they cost",
        _costs(report.results),
        _COSTS,
        "## Complete systems",
        _systems(report),
        "## Published, and here",
        _published(report.results),
        "## Look-alikes",
        _pairs(report.results),
        "## From one country to another",
        _transfer(report.results),
        "## Blur, noise, resolution, rotation",
        "![Characters right over distortions](plots/distortions.png)",
        "## By class",
        "![F1 by class](plots/classes.png)",
        "![ROC and precision over recall](plots/curves.png)",
        "Confusions, a picture for each network: " + _confusions(report.results),
        "## Over the epochs",
        "![Score and loss of character networks](plots/epochs_characters.png)",
        "![Score and loss of the others](plots/epochs_others.png)"
        if any(each.get("epochs") and each["kind"] != "characters" for each in report.results)
        else "",
        "## The data",
        _DATA,
        _labels(report.labels),
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    path.write_text(text, encoding="utf-8")
    path.with_name("index.html").write_text(as_html(text), encoding="utf-8")


def _run(report: Report) -> str:
    setting, results = report.setting, [each for each in report.results if each.get("epochs")]
    minutes = sum(each["training_seconds"] for each in results) / 60
    begun = (
        f"**This run**: `./build.sh study --setting {setting.name}`, seed {report.seed}, on {report.machine}. "
        f"{setting.plates:,} plates, {setting.crops:,} characters to learn from, {setting.scenes} pictures of roads, "
        f"at most {setting.epochs} epochs (some networks a multiple, see `training/study/networks/`). The trainings "
        f"took {minutes:.0f} minutes together, each as long as the table of costs says."
    )
    parts = [begun]
    if setting.name != "full":
        parts.append(
            "It is a part of the full study (`./build.sh study`, some hours): the networks are under-trained, the "
            "large ones and those with CTC most, and differences of a few hundredths are noise."
        )
    missing = [name for name in all_networks() if name not in {each["name"] for each in results}]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        parts.append(f"**Not in this run**, for it was cut short: {names}. `./build.sh study` goes on with them.")
    return " ".join(parts)


def _of(results: Sequence[Result], *kinds: str) -> list[Result]:
    return [each for each in results if each["kind"] in kinds]


def _characters(results: Sequence[Result]) -> str:
    header = ["network", "accuracy", "int8", "precision", "recall", "F1", "AUC", "abroad (int8)"]
    rows = [
        [
            f"`{each['name']}` {APPROACHES[each['name']].title}",
            *(
                share(each[key])
                for key in ("accuracy", "int8_accuracy", "precision", "recall", "f1", "auc", "abroad_accuracy")
            ),
        ]
        for each in _of(results, "characters")
    ]
    return markdown(header, rows) + (
        "\n\nShare of characters of Indian plates of the test split that are read right, by the float and the int8 "
        "network; precision, recall and F1 are means over the classes; `abroad` is on foreign plates."
    )


def _plates(results: Sequence[Result]) -> str:
    header = ["network", "characters", "int8", "whole texts", "int8", "int8, Indian", "int8, foreign"]
    keys = ("accuracy", "int8_accuracy", "exact", "int8_exact", "home_exact", "abroad_exact")
    rows = [
        [f"`{each['name']}` {APPROACHES[each['name']].title}", *(share(each.get(key)) for key in keys)]
        for each in _of(results, "strips", "hybrid", "texts", "strip characters")
    ]
    table = markdown(header, rows) + (
        "\n\nRaw texts of the network's likeliest path, without formats and without a vote; correctors are given "
        "what our shipped reader read."
    )
    corrected = []
    for each in _of(results, "texts"):
        for reader, facts in each["readers"].items():
            if facts["before"]["characters"] or reader == "ours":
                figures = [facts[when][what] for what in ("exact", "characters") for when in ("before", "int8_after")]
                corrected.append([f"`{each['name']}`", reader, *map(share, figures)])
    if not corrected:
        return table
    return f"{table}\n\n" + markdown(
        ["corrector (int8)", "reads of", "texts before", "texts after", "characters before", "characters after"],
        corrected,
    )


def _boxes(results: Sequence[Result]) -> str:
    header = ["network", "mAP50", "mAP50-95", "int8 mAP50", "int8 mAP50-95"]
    rows = [
        [
            f"`{each['name']}` {APPROACHES[each['name']].title}",
            *(share(each.get(key)) for key in ("map50", "map50_95", "int8_map50", "int8_map50_95")),
        ]
        for each in results
        if "map50" in each
    ]
    return markdown(header, rows) + (
        "\n\nOn rendered roads of the test split; of `yolo_characters` on strips, the mean over 36 classes."
    )


def _costs(results: Sequence[Result]) -> str:
    header = [
        *("network", "input", "M parameters", "M MACs", "float MB", "int8 MB", "ms", "memory MB", "epochs"),
        "training s",
    ]
    rows = []
    for each in results:
        epochs = f"{each['epochs_to_converge']} of {len(each['epochs'])}" if each.get("epochs") else "–"
        sizes = (each.get("float_bytes"), each["int8_bytes"])
        rows.append(
            [
                f"`{each['name']}`",
                each["input"],
                millions(each.get("parameters")),
                millions(each["multiply_accumulates"]),
                *(millions(size) for size in sizes),
                f"{each['milliseconds']:.2f}",
                f"{each['peak_megabytes']:.1f}",
                epochs,
                f"{each['training_seconds']:.0f}" if each.get("epochs") else "–",
            ]
        )
    return markdown(header, rows)


def _boards(results: Sequence[Result]) -> str:
    shown = (
        "plate_detector",
        "plate_reader",
        "crnn",
        "lenet",
        "mobilenet_v2",
        "cellwise",
        "yolo_plates",
        "yolo_characters",
    )
    known = {each["name"]: each for each in results}
    chosen = [known[name] for name in (*shown, "box_regression") if name in known]
    header = ["board", *(f"`{each['name']}`" for each in chosen)]
    rows = [["M MACs a run", *(f"{each['multiply_accumulates'] / 1e6:.0f}" for each in chosen)]]
    rows += [["this machine, measured ms", *(f"{each['milliseconds']:.1f}" for each in chosen)]]
    rows += [
        [
            f"{board.name} ({board.processor})",
            *(f"≈ {milliseconds(board, each['multiply_accumulates']):.0f}" for each in chosen),
        ]
        for board in BOARDS
    ]
    return markdown(header, rows) + "\n\nCharacter networks run once for each character: ten times for a plate of ten."


def _systems(report: Report) -> str:
    header = ["system", "texts right", "characters right", "ms", *report.datasets]
    rows = [
        [
            f"{facts['title']}",
            share(facts.get("exact")),
            share(facts.get("characters")),
            f"{facts['milliseconds']:.1f}" if "milliseconds" in facts else "–",
            *(share(facts["datasets"].get(name, {}).get("exact")) for name in report.datasets),
        ]
        for facts in report.systems.values()
    ]
    note = (
        "\n\nAll int8. `texts right`: strips of the test split cut at the corners that a detector would give, without "
        "formats and without a vote. "
    )
    if report.datasets:
        note += (
            f"{', '.join(report.datasets)}: photos that nothing was trained on, through the real program with effort "
            "0. Detector, aligner, formats and vote are ours; the system is in the reader's place, and one with a "
            "detector of its own in the detector's place too. "
        )
    note += (
        "A whole-plate network can be put there as a file: the study leaves a models folder for each, and `edge-anpr "
        "evaluate --models DIR DATASET` runs it."
    )
    return markdown(header, rows) + note


def _published(results: Sequence[Result]) -> str:
    rows = []
    for each in results:
        approach = APPROACHES[each["name"]]
        ours = share(each.get("accuracy", each.get("map50")))
        if approach.why:
            rows.append([f"`{each['name']}`", approach.approach, approach.published, ours, approach.why])
    return markdown(["network", "approach", "published", "here", "why they differ"], rows)


def _pairs(results: Sequence[Result]) -> str:
    shown = [each for each in results if "pairs" in each]
    rows = [[f"`{each['name']}`", *("{} + {} of {}".format(*each["pairs"][pair]) for pair in PAIRS)] for each in shown]
    header = ["network", *("/".join(pair) for pair in PAIRS)]
    return markdown(header, rows) + (
        "\n\nHow often the first was read as the second + the second as the first, of how many of both."
    )


def _transfer(results: Sequence[Result]) -> str:
    known = {each["name"]: each for each in results}
    parts = []
    if {"cellwise", "cellwise_abroad"} <= known.keys():
        rows = [
            [where, *(share(known[name][key]) for key in ("int8_accuracy", "abroad_accuracy"))]
            for where, name in (("Indian plates", "cellwise"), ("foreign plates", "cellwise_abroad"))
        ]
        parts.append(markdown(["small CNN taught", "read on Indian plates", "on foreign plates"], rows))
    if {"transfer_pretrained", "transfer_scratch"} <= known.keys():
        rows = [
            [title, *(share(known[name][key]) for key in ("int8_accuracy", "abroad_accuracy"))]
            for title, name in (
                ("from scratch", "transfer_scratch"),
                ("begun with the weights for Indian ones", "transfer_pretrained"),
            )
        ]
        header = ["MobileNetV2 taught few foreign characters", "read on Indian plates", "on foreign plates"]
        parts.append(markdown(header, rows))
    return "\n\n".join(parts)


def _confusions(results: Sequence[Result]) -> str:
    return ", ".join(f"[{each['name']}](plots/confusion_{each['name']}.png)" for each in results if "confusion" in each)


def _labels(labels: Mapping[str, Any]) -> str:
    rows = [[reason, str(count)] for reason, count in labels["dropped"].items()]
    splits = ", ".join(f"{count} {name}" for name, count in labels["splits"].items())
    return (
        f"**Detection labels** are written as Pascal VOC, converted to YOLO, and validated: {labels['kept']} boxes in "
        f"{labels['pictures']} pictures were kept ({splits}). What was dropped, and why:\n\n"
        + markdown(["reason", "count"], rows)
    )
