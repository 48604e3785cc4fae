"""The page's pictures: curves and tables in colour, no photo."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from training.accuracy.generated import BLURRED_LINE_HEIGHT_PX
from training.accuracy.outcomes import SURE, Bin, Outcome, binned
from training.accuracy.page import Measured

mpl.use("Agg")
import matplotlib.pyplot as plt

_LOOKALIKES = "0ODQCG1ILTJ7YV4A2Z5S6B8369MWNHUKXRPFE"
"""Every character once, those that are taken for each other side by side."""

_SQUARE, _WIDE = (5.2, 5.2), (8.4, 3.6)
_DOTS_PER_INCH = 110

_SIZE_EDGES_PX = (0, 6, 8, 10, 12, 16, 24, 36, 60, 1000)
_SHARPNESS_EDGES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 10)
_CONFIDENCE_EDGES = (0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)

Series = dict[str, Sequence[Bin]]


def draw_plots(folder: Path, measured: Measured) -> None:
    """Every picture the page shows, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    own = [each for each in measured.outcomes if each.country == measured.country]
    _draw_reliability(folder / "reliability.png", _over(own, "confidence", _CONFIDENCE_EDGES))
    _draw_confusions(folder / "confusions.png", measured.substitutions)
    sizes: Series = {"generated": measured.generated_sizes} | _by_set(measured, "line_height_px", _SIZE_EDGES_PX)
    colours = {"generated": "black"} | {name: f"C{index}" for index, name in enumerate(_names(measured))}
    _draw_curves(folder / "size.png", sizes, "height of a line of text, pixels", colours)
    label = f"sigma of a Gaussian blur, pixels, on lines {BLURRED_LINE_HEIGHT_PX:.0f} pixels high"
    _draw_curves(folder / "blur.png", {"generated": measured.generated_blurs}, label, colours)
    sharp = _by_set(measured, "sharpness", _SHARPNESS_EDGES)
    _draw_curves(folder / "sharpness.png", sharp, "sharpness of the strip", colours)


def _by_set(measured: Measured, quantity: str, edges: Sequence[float]) -> Series:
    bins = {
        name: _over([e for e in measured.outcomes if e.dataset == name], quantity, edges) for name in _names(measured)
    }
    return {name: each for name, each in bins.items() if each}


def _names(measured: Measured) -> list[str]:
    return list(dict.fromkeys(each.dataset for each in measured.outcomes))


def _over(outcomes: Sequence[Outcome], quantity: str, edges: Sequence[float]) -> list[Bin]:
    read = [each for each in outcomes if each.read]
    return binned([getattr(each, quantity) for each in read], [each.right for each in read], edges)


def _draw_reliability(path: Path, bins: Sequence[Bin]) -> None:
    """Share right over confidence; the diagonal is what an honest confidence follows."""
    figure, panel = plt.subplots(figsize=_SQUARE)
    panel.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    panel.axvline(SURE, color="0.7", linewidth=1, linestyle=":")
    panel.plot([each.middle for each in bins], [each.right for each in bins], marker="o")
    for each in bins:
        panel.annotate(str(each.plates), (each.middle, each.right), (6, -10), textcoords="offset points", fontsize=8)
    panel.set(xlabel="confidence of the read", ylabel="share read exactly right", xlim=(0, 1.02), ylim=(0, 1.02))
    _save(figure, path)


def _draw_curves(path: Path, series: Series, label: str, colours: Mapping[str, str]) -> None:
    """Share right over a quantity, a line for each series."""
    figure, panel = plt.subplots(figsize=_WIDE)
    for name, bins in series.items():
        middles, rights = [each.middle for each in bins], [each.right for each in bins]
        panel.plot(middles, rights, marker="o", markersize=4, label=name, color=colours[name])
    panel.set(xlabel=label, ylabel="share read exactly right", ylim=(0, 1.02))
    if series:
        panel.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def _draw_confusions(path: Path, substitutions: Counter[tuple[str, str]]) -> None:
    """How often each true character (row) was read as another (column)."""
    order = {character: index for index, character in enumerate(dict.fromkeys(_LOOKALIKES))}
    counts = np.zeros((len(order), len(order)), np.int64)
    for (truth, read), count in substitutions.items():
        counts[order[truth], order[read]] = count
    figure, panel = plt.subplots(figsize=(9, 9))
    panel.imshow(np.log1p(counts), cmap="magma_r", aspect="equal")
    for row, column in np.argwhere(counts > 0):
        shade = "white" if counts[row, column] > counts.max() ** 0.6 else "black"
        panel.text(column, row, counts[row, column], ha="center", va="center", fontsize=7, color=shade)
    panel.set_xticks(range(len(order)), list(order))
    panel.set_yticks(range(len(order)), list(order))
    panel.xaxis.tick_top()
    panel.xaxis.set_label_position("top")
    panel.set(xlabel="read as", ylabel="true character")
    panel.set_xticks(np.arange(len(order)) - 0.5, minor=True)
    panel.set_yticks(np.arange(len(order)) - 0.5, minor=True)
    panel.grid(which="minor", color="0.9", linewidth=0.5)
    panel.tick_params(which="both", length=0)
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    for panel in figure.axes:
        panel.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=_DOTS_PER_INCH, metadata={"Software": None})
    plt.close(figure)
