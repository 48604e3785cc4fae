"""`docs/accuracy.md` from measured figures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from edge_app.evaluation.scoring import DatasetScore, pooled
from training.accuracy.outcomes import SURE, Bin, Outcome, exact_share, sure_reads

LOOKALIKES = (("0", "O"), ("1", "I"), ("8", "B"), ("0", "D"), ("0", "Q"), ("5", "S"), ("2", "Z"))


@dataclass(frozen=True, slots=True)
class Further:
    """Every set with effort 1, with all kinds of further attempts or without one of them."""

    without: str | None
    """The kind that is left out."""
    scores: Sequence[DatasetScore]
    cpu_ms: Sequence[float]
    """Processor time a picture, set by set."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the page is written from."""

    scores: Sequence[DatasetScore]
    """Of the int8 models, with effort 0; so are those of the float networks and the outcomes."""
    further: Sequence[Further]
    """Of the int8 models, with effort 1: with all kinds of further attempts first."""
    float_scores: Sequence[DatasetScore]
    outcomes: Sequence[Outcome]
    generated_sizes: Sequence[Bin]
    """Generated plates over the height of a line in pixels."""
    generated_blurs: Sequence[Bin]
    """And over the sigma of a Gaussian blur in pixels."""
    substitutions: Counter[tuple[str, str]]
    models: dict[str, dict[str, Any]]
    """Manifests by name."""
    formats: dict[str, Any]
    """`formats/in.toml`."""
    country: str


_SCORES_NOTE = (
    "`boxes` counts the plates whose place is labelled, `texts` those whose text is; each counts, found or not. A "
    "dash stands for a missing label. `false` counts finds that are no labelled plate. What int8 lost is the "
    "float networks' figure less int8's: below zero, int8 is better."
)

_FURTHER_NOTE = (
    "With effort 1, a plate in doubt is found once more in a *close view* and read at places *beside* the one found. "
    "If nothing is read for sure, the picture is searched in *parts*. Each cell shows what a kind is worth: the exact "
    "reads that are lost without it (below zero, it does harm), and the processor time a picture that it costs."
)

_TRUST_NOTE = (
    "The numbers beside the dots count reads, the dotted line marks 0.9. If the curve is below the diagonal, "
    "reads are right less often than their confidence."
)

_SIZE_AND_BLUR = (
    "Generated plates are read through their exact corners, so that their curve shows the reader alone; photos take "
    "the whole path. A dot is at least five plates; sharpness is the deviation of the strip's Laplacian over "
    "that of its grey values."
)


def write_page(measured: Measured, pictures: str) -> str:
    """The page as Markdown; `pictures` is the folder of its plots, seen from it."""
    return "\n\n".join(
        [
            "# Accuracy",
            _introduction(measured),
            "## Every set",
            _scores(measured),
            _SCORES_NOTE,
            "## What further attempts gain and cost",
            _FURTHER_NOTE,
            _further(measured.further),
            "## One line and two",
            "The layout is the detector's; plates on which nothing was read have none.",
            _layouts(measured),
            "## How far a confidence can be trusted",
            _trust(measured),
            f"![Share read right over confidence]({pictures}/reliability.png)",
            _TRUST_NOTE,
            "## Size and blur",
            _SIZE_AND_BLUR,
            f"![Share read right over the height of a line]({pictures}/size.png)",
            f"![Share read right over blur, generated plates]({pictures}/blur.png)",
            f"![Share read right over sharpness, photos]({pictures}/sharpness.png)",
            "## Characters taken for others",
            _lookalikes(measured.substitutions),
            f"![How often each character was read as another]({pictures}/confusions.png)",
            "## Decisions, and what they were made on",
            _decisions(measured),
        ]
    )


def _introduction(measured: Measured) -> str:
    models = ", ".join(
        f"`{name}` {facts['version']} (sha256 `{facts['sha256'][:12]}…`)" for name, facts in measured.models.items()
    )
    return (
        f"Written by `./build.sh evaluate` with {models}. Every figure is end to end, with the int8 models as shipped "
        "and one configuration for all sets. Effort 0 is one attempt at each plate, as the daemon reads a frame; it is "
        "meant unless a column names effort 1, a few further attempts at what stays in doubt. No picture of these sets "
        "was trained on. A read is right when its every character is. Here are numbers only, for plates are personal "
        "data."
    )


def _scores(measured: Measured) -> str:
    rows = []
    for score, further, original in zip(
        measured.scores, measured.further[0].scores, measured.float_scores, strict=True
    ):
        cells = [score.dataset, str(score.images)]
        if score.detection and original.detection:
            found = score.detection
            cells += [str(found.plates), _share(found.recall), _share(found.precision), str(found.false)]
            cells += [_share(found.map50), _difference(original.detection.recall, found.recall)]
        else:
            cells += ["–"] * 6
        if score.reading and original.reading and further.reading:
            read = score.reading
            cells += [str(read.plates), _share(read.exact), _share(further.reading.exact)]
            cells += [_share(read.character_accuracy), _difference(original.reading.exact, read.exact)]
        else:
            cells += ["–"] * 5
        rows.append(cells)
    rows.append(_together(measured))
    found_header = ("boxes", "recall", "precision", "false", "mAP50", "recall lost to int8")
    read_header = ("texts", "exact", "exact, effort 1", "characters", "exact lost to int8")
    return _table(("set", "images", *found_header, *read_header), rows)


def _together(measured: Measured) -> list[str]:
    """The last row: every plate counts once."""
    boxes, recall = pooled((each.detection for each in measured.scores), "recall")
    texts, exact = pooled((each.reading for each in measured.scores), "exact")
    _, exact_further = pooled((each.reading for each in measured.further[0].scores), "exact")
    _, recall_before = pooled((each.detection for each in measured.float_scores), "recall")
    _, exact_before = pooled((each.reading for each in measured.float_scores), "exact")
    found = (str(boxes), _share(recall), "–", "–", "–", _difference(recall_before, recall))
    read = (str(texts), _share(exact), _share(exact_further), "–", _difference(exact_before, exact))
    return ["all together", str(sum(each.images for each in measured.scores)), *found, *read]


def _further(further: Sequence[Further]) -> str:
    """What each kind of further attempt gains and costs, set by set."""
    complete, *others = further
    rows = []
    for index, score in enumerate(complete.scores):
        if not score.reading or not score.reading.plates:
            continue
        cells = [score.dataset, _share(score.reading.exact), f"{complete.cpu_ms[index]:.0f} ms"]
        for other in others:
            less = other.scores[index].reading
            gained = _difference(score.reading.exact, less.exact if less else None)
            cells.append(f"{gained}, {complete.cpu_ms[index] - other.cpu_ms[index]:.0f} ms")
        rows.append(cells)
    return _table(("set", "exact, effort 1", "CPU a picture", *(str(each.without) for each in others)), rows)


def _layouts(measured: Measured) -> str:
    rows = []
    for score in measured.scores:
        own = [each for each in measured.outcomes if each.dataset == score.dataset]
        if not own:
            continue
        cells = []
        for lines in (1, 2, None):
            alike = [each for each in own if each.lines == lines]
            cells += [str(len(alike)), _share(exact_share(alike)) if lines else ""]
        rows.append((score.dataset, *cells[:-1]))
    return _table(("set", "one line", "exact", "two lines", "exact", "nothing read"), rows)


def _trust(measured: Measured) -> str:
    own = [each for each in measured.outcomes if each.country == measured.country]
    share, right = sure_reads(own)
    return (
        f"Of the reads on plates of {measured.country} in all sets together, {_percent(share)} have a confidence of "
        f"{SURE} or more, and {_percent(right)} of those are right."
    )


def _lookalikes(substitutions: Counter[tuple[str, str]]) -> str:
    rows = [
        (f"{first} and {second}", str(substitutions[first, second]), str(substitutions[second, first]))
        for first, second in LOOKALIKES
    ]
    most = ", ".join(f"{truth}→{read} {count}" for (truth, read), count in substitutions.most_common(12))
    table = _table(("pair", "first read as second", "second read as first"), rows)
    return f"{table}\n\nThe commonest of all (true→read, times): {most or 'none'}."


def _decisions(measured: Measured) -> str:
    point = measured.models["plate_detector"].get("working_point", {})
    chosen = f"{point['confidence']}, chosen on {point['chosen_on']}" if point else "not chosen yet"
    priors = [(each["name"], f"`{each['pattern']}`", f"{each['log_prior']:g}") for each in measured.formats["formats"]]
    priors.append(("a code that does not exist", "", f"{measured.formats['priors']['unknown_code']:g}"))
    return (
        f"- Detection confidence: {chosen}.\n"
        "- Priors of layouts that are common in the world: their shares among the texts of the training sets. Two of "
        "New York's are set by hand, because those sets have too few. See "
        "`edge_app/recognition/formats/generic.toml`.\n"
        f"- Format priors of {measured.country}, as natural logarithms relative to the commonest format. They are set "
        "by hand from how common such plates are, and fitted to none of these sets:\n\n"
        + _table(("format", "pattern", "log prior"), priors)
    )


def _difference(before: float | None, after: float | None) -> str:
    return "–" if before is None or after is None else f"{before - after:+.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
