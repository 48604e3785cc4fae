"""The report's pictures: they read in grey, for lines differ in their dashes and marks."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
import numpy as np

from training.shapes import ALPHABET
from training.study.crops import DISTORTIONS
from training.study.judging import Result
from training.study.published import APPROACHES

mpl.use("Agg")
import matplotlib.pyplot as plt

_DOTS_PER_INCH = 90
_STYLES = [
    {"linestyle": dashes, "marker": mark, "color": str(shade)}
    for mark, shade in (("o", 0.0), ("s", 0.45), ("^", 0.25))
    for dashes in ("-", "--", ":", "-.")
] + [{"linestyle": "-", "marker": mark, "color": "0.6"} for mark in "vDxP*"]

_LABELS = {
    "blur": "blur: sigma in pixels of strips 64 high",
    "noise": "noise: sigma of 256 grey values",
    "resolution": "resolution: height of the strip in pixels",
    "rotation": "rotation in degrees",
}


def draw_plots(folder: Path, results: Sequence[Result]) -> None:
    """Every picture of the report."""
    folder.mkdir(parents=True, exist_ok=True)
    characters = [result for result in results if result["kind"] == "characters"]
    _draw_epochs(folder / "epochs_characters.png", characters)
    _draw_epochs(
        folder / "epochs_others.png", [each for each in results if each.get("epochs") and each not in characters]
    )
    _draw_distortions(folder / "distortions.png", characters)
    _draw_classes(folder / "classes.png", [result for result in results if "by_class" in result])
    _draw_curves(folder / "curves.png", characters)
    _draw_costs(folder / "costs.png", results)
    for result in results:
        if "confusion" in result:
            _draw_confusion(folder / f"confusion_{result['name']}.png", result)


def _draw_epochs(path: Path, results: Sequence[Result]) -> None:
    if not results:
        return
    figure, (above, middle, below) = plt.subplots(3, 1, figsize=(8, 10), sharex=True)
    for style, result in zip(cycle(_STYLES), results, strict=False):
        numbers = [epoch["number"] for epoch in result["epochs"]]
        above.plot(numbers, [epoch["score"] for epoch in result["epochs"]], **style, markersize=4, label=result["name"])
        for panel, key in ((middle, "validation_loss"), (below, "loss")):
            panel.plot(numbers, [epoch[key] for epoch in result["epochs"]], **style, markersize=4)
    above.set(ylabel="score on the validation split", ylim=(0, 1.02))
    middle.set(ylabel="loss on the validation split", yscale="log")
    below.set(ylabel="loss on the train split", xlabel="epoch", yscale="log")
    above.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    _save(figure, path)


def _draw_distortions(path: Path, results: Sequence[Result]) -> None:
    if not results:
        return
    figure, panels = plt.subplots(2, 2, figsize=(9, 7), sharey=True)
    for panel, (kind, levels) in zip(panels.flat, DISTORTIONS.items(), strict=True):
        for style, result in zip(cycle(_STYLES), results, strict=False):
            panel.plot(levels, result["distorted"][kind], **style, markersize=4, label=result["name"])
        panel.set(xlabel=_LABELS[kind], ylim=(0, 1.02))
        if kind == "resolution":
            panel.set_xscale("log", base=2)
            panel.invert_xaxis()
            panel.set_xticks(levels, [f"{level:.0f}" for level in levels])
            panel.minorticks_off()
    for panel in panels[:, 0]:
        panel.set_ylabel("characters read right (int8)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def _draw_classes(path: Path, results: Sequence[Result]) -> None:
    """F1 by class, a row for each network."""
    if not results:
        return
    values = np.array([[np.nan if each is None else each for each in row["by_class"]["f1"]] for row in results])
    figure, panel = plt.subplots(figsize=(10, 0.32 * len(results) + 1.2))
    picture = panel.imshow(values, cmap="gray", vmin=0, vmax=1, aspect="auto")
    panel.set_xticks(range(len(ALPHABET)), list(ALPHABET))
    panel.set_yticks(range(len(results)), [result["name"] for result in results])
    figure.colorbar(picture, label="F1: white is 1")
    _save(figure, path)


def _draw_curves(path: Path, results: Sequence[Result]) -> None:
    """ROC and precision over recall."""
    if not results:
        return
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4))
    for style, result in zip(cycle(_STYLES), results, strict=False):
        line = {**style, "marker": ""}
        left.plot(*result["roc"], **line, label=f"{result['name']} ({result['auc']:.3f})")
        right.plot(*result["pr"], **line, label=f"{result['name']} ({result['average_precision']:.3f})")
    left.set(xlabel="share of wrong classes accepted", ylabel="share of right ones accepted")
    left.set_xscale("symlog", linthresh=0.01)
    right.set(xlabel="recall", ylabel="precision", ylim=(0, 1.02))
    left.legend(frameon=False, fontsize=6, title="ROC (area)", title_fontsize=7)
    right.legend(frameon=False, fontsize=6, title="(average precision)", title_fontsize=7)
    _save(figure, path)


def _draw_costs(path: Path, results: Sequence[Result]) -> None:
    """Accuracy over multiply-accumulates."""
    figure, panel = plt.subplots(figsize=(9, 6))
    marks = {"characters": "o", "strips": "s", "hybrid": "^", "texts": "v", "strip characters": "D"}
    for result in results:
        if "int8_accuracy" in result:
            place = (result["multiply_accumulates"] / 1e6, result["int8_accuracy"])
            panel.plot(*place, marker=marks[result["kind"]], color="black", fillstyle="none", linestyle="")
            panel.annotate(result["name"], place, (5, 3), textcoords="offset points", fontsize=7)
    panel.set(xscale="log", xlabel="millions of multiply-accumulates a run", ylabel="characters right (int8)")
    _save(figure, path)


def _draw_confusion(path: Path, result: Result) -> None:
    """How often each true character (row) was read as another (column), in shares of the row."""
    counts = np.array(result["confusion"], float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, panel = plt.subplots(figsize=(5.6, 5.6))
    panel.imshow(np.sqrt(shares), cmap="gray_r", vmin=0, vmax=1)
    panel.set_xticks(range(len(ALPHABET)), list(ALPHABET), fontsize=7)
    panel.set_yticks(range(len(ALPHABET)), list(ALPHABET), fontsize=7)
    panel.set(xlabel="read as", ylabel="true character")
    panel.set_title(APPROACHES[result["name"]].title, fontsize=9)
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    for panel in figure.axes:
        panel.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=_DOTS_PER_INCH, metadata={"Software": None}, bbox_inches="tight")
    plt.close(figure)
