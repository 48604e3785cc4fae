"""What an engineer can take from the study, each with the figures behind it; verdicts follow the figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.study.boards import BOARDS, milliseconds
from training.study.judging import Result

Systems = Mapping[str, Mapping[str, Any]]

_NOISE = 0.03
"""Differences of accuracy below this are none."""
_ABLE = 0.6
"""Accuracy from which on a network can tell characters."""
_CHARACTERS_OF_A_PLATE = 10
_MILLION = 1e6


def conclusions(results: Sequence[Result], systems: Systems) -> str:
    """A list; of what was not measured it says nothing."""
    known = {each["name"]: each for each in results}
    found = [
        _boards(known),
        _segmentation(known, systems),
        _second_detector(known, systems),
        _whole_plate(known),
        _best_characters(results),
        _size(known),
        _augmentation(known),
        _handwriting(known),
        _optimizers(known),
        _correction(known),
        _transfer(known),
        _detectors(known),
        _int8(results),
    ]
    return "\n".join(f"{number}. {text}" for number, text in enumerate(filter(None, found), 1))


def _boards(known: Mapping[str, Result]) -> str:
    if not {"plate_detector", "plate_reader"} <= known.keys():
        return ""
    detector, reader = (known[name]["multiply_accumulates"] for name in ("plate_detector", "plate_reader"))
    facts = ", ".join(f"{board.name} ≈ {milliseconds(board, detector + reader):.0f} ms" for board in BOARDS)
    text = (
        f"**Which network for which board** (estimates, see below). Our detector and one read take: {facts}. So the "
        "shipped pair runs on all of them: on a Pi 4, 5 and a Jetson on every frame of a few a second, on a Pi Zero "
        "2 W and a Pi 3 behind the motion gate and at a low frame rate, for the detector has most of the cost"
    )
    if "crnn" in known:
        smaller = known["crnn"]["multiply_accumulates"] / _MILLION
        text += f"; a smaller reader spares little of it (`crnn`: {smaller:.0f} M instead of {reader / _MILLION:.0f} M)"
    if "lenet" in known:
        each = known["lenet"]["multiply_accumulates"] * _CHARACTERS_OF_A_PLATE / _MILLION
        text += f". Ten characters with LeNet take {each:.0f} M, the whole strip with ours {reader / _MILLION:.0f} M"
    return text + "."


def _cut(known: Mapping[str, Result], systems: Systems) -> dict[str, Mapping[str, Any]]:
    """Those that cut characters out first, and whose network can tell characters: of others the network is to blame."""
    return {
        name: facts
        for name, facts in systems.items()
        if name.startswith(("contours+", "projections+"))
        and known.get(name.partition("+")[2], {}).get("int8_accuracy", 0.0) >= _ABLE
    }


def _segmentation(known: Mapping[str, Result], systems: Systems) -> str:
    cut = _cut(known, systems)
    if not cut or "ours" not in systems:
        return ""
    ours = systems["ours"]
    name, best = max(cut.items(), key=lambda item: (item[1]["exact"], item[1]["characters"]))
    lost = best["exact"] < ours["exact"] - _NOISE
    text = (
        f"**Segmentation {'costs reads' if lost else 'costs no reads here'}.** The best system that cuts characters "
        f"out first ({name}) reads {best['exact']:.3f} of the test texts and {best['characters']:.3f} of their "
        f"characters; our shipped reader, which cuts nothing, {ours['exact']:.3f} and {ours['characters']:.3f}"
    )
    for dataset, facts in ours["datasets"].items():
        on = max(each["datasets"].get(dataset, {}).get("exact", 0.0) for each in cut.values())
        text += f"; on photos of {dataset} {on:.3f} against {facts['exact']:.3f}"
    if not lost:
        return text + "."
    return text + ". A character that touches a bolt, a frame or its neighbour loses the plate: do not segment."


def _second_detector(known: Mapping[str, Result], systems: Systems) -> str:
    cut = [facts["exact"] for facts in _cut(known, systems).values()]
    if not cut or "yolo_characters" not in systems:
        return ""
    exact = systems["yolo_characters"]["exact"]
    verdict = "better" if exact > max(cut) + _NOISE else "worse" if exact < max(cut) - _NOISE else "no better"
    return (
        f"**A second detector for the characters is {verdict} than contours and projections**: {exact:.3f} of the test "
        f"texts against {max(cut):.3f} at best. It needs the place of every character to learn from, which only "
        "generated plates have."
    )


def _whole_plate(known: Mapping[str, Result]) -> str:
    names = ("crnn", "lenet_ctc", "plate_reader")
    if not known.keys() >= set(names):
        return ""
    facts = ", ".join(
        f"`{name}` {known[name]['int8_accuracy']:.3f} of the characters, {known[name]['int8_exact']:.3f} of the texts"
        for name in names
    )
    return (
        f"**Whole-plate readers with CTC**: {facts}. `lenet_ctc` is our reader's network, taught as shortly as the "
        "others. Its gap to `plate_reader` is what long training and real plates bring; a gap between approaches that "
        "is smaller than this one says nothing."
    )


def _best_characters(results: Sequence[Result]) -> str:
    shown = [each for each in results if each["kind"] == "characters" and not each["name"].startswith("transfer")]
    if len(shown) < 2:
        return ""
    best = max(shown, key=lambda each: each["int8_accuracy"])
    as_good = [each for each in shown if each["int8_accuracy"] >= best["int8_accuracy"] - _NOISE]
    least = min(as_good, key=lambda each: each["multiply_accumulates"])
    text = f"**The best reader of single characters here is `{best['name']}`**: {best['int8_accuracy']:.3f} in int8"
    if least is not best:
        costs = [each["multiply_accumulates"] / _MILLION for each in (least, best)]
        text += (
            f". `{least['name']}` is as good within the noise ({least['int8_accuracy']:.3f}) with {costs[0]:.1f} "
            f"instead of {costs[1]:.1f} million multiply-accumulates: take that one on a small board"
        )
    return text + "."


def _size(known: Mapping[str, Result]) -> str:
    shown = [known[name] for name in ("alexnet", "lenet", "vgg9", "tutorial_adam", "cellwise") if name in known]
    if len(shown) < 2:
        return ""
    facts = ", ".join(f"`{each['name']}` {each['int8_accuracy']:.3f} in {_megabytes(each)} MB" for each in shown)
    largest, best = shown[0], max(shown, key=lambda each: each["int8_accuracy"])
    verdict = "buy accuracy here" if best is largest else "do not buy accuracy"
    return f"**Parameters {verdict}**: {facts}."


def _megabytes(result: Result) -> str:
    return f"{result['int8_bytes'] / _MILLION:.1f}"


def _augmentation(known: Mapping[str, Result]) -> str:
    gains = {
        name: known[f"{name}_augmented"]["int8_accuracy"] - known[name]["int8_accuracy"]
        for name in ("lenet", "vgg9", "mobilenet_v2", "alexnet")
        if {name, f"{name}_augmented"} <= known.keys()
    }
    if not gains:
        return ""
    facts = ", ".join(f"`{name}` {gain:+.3f}" for name, gain in gains.items())
    return (
        f"**Augmentation**: {facts}. It pays once a network has epochs enough to fit the plain pictures; before that "
        "it slows learning down, which a negative figure shows."
    )


def _handwriting(known: Mapping[str, Result]) -> str:
    if not {"classical_handwriting", "classical_plates"} <= known.keys():
        return ""
    hand, plates = (known[f"classical_{name}"]["int8_accuracy"] for name in ("handwriting", "plates"))
    written = max(epoch["score"] for epoch in known["classical_handwriting"]["epochs"])
    verdict = "does not teach plates" if hand < plates - _NOISE else "teaches plates as well as plates do"
    return (
        f"**Handwriting {verdict}.** A network that tells {written:.3f} of handwritten characters tells {hand:.3f} of "
        f"those of plates; the same network, taught as many characters of plates, {plates:.3f}."
    )


def _optimizers(known: Mapping[str, Result]) -> str:
    if not {"tutorial_adam", "tutorial_rmsprop"} <= known.keys():
        return ""
    adam, other = (known[f"tutorial_{name}"]["int8_accuracy"] for name in ("adam", "rmsprop"))
    verdict = (
        "no difference" if abs(adam - other) < _NOISE else "Adam is better" if adam > other else "RMSprop is better"
    )
    return f"**Adam or RMSprop**: {verdict} ({adam:.3f} and {other:.3f})."


def _correction(known: Mapping[str, Result]) -> str:
    if "corrector_lstm" not in known:
        return ""
    facts = known["corrector_lstm"]["readers"]["ours"]
    before, after = facts["before"]["exact"], facts["int8_after"]["exact"]
    verdict = "breaks more texts than it mends" if after < before else "mends some texts"
    return (
        f"**A recurrent network that corrects texts {verdict}**: {before:.3f} of our reader's texts are right before "
        f"it, {after:.3f} after it. Serial numbers are random, so a wrong digit cannot be guessed from its "
        "neighbours. Our formats know which places are random and keep the reader's doubts: use them."
    )


def _transfer(known: Mapping[str, Result]) -> str:
    if not {"transfer_pretrained", "transfer_scratch"} <= known.keys():
        return ""
    begun, scratch = (known[f"transfer_{name}"]["abroad_accuracy"] for name in ("pretrained", "scratch"))
    verdict = "Begin a new country with known weights" if begun > scratch + _NOISE else "Known weights help little"
    return (
        f"**{verdict}**: few foreign characters bring {begun:.3f} if the training begins with the weights for Indian "
        f"ones, {scratch:.3f} from scratch."
    )


def _detectors(known: Mapping[str, Result]) -> str:
    names = [name for name in ("plate_detector", "yolo_plates", "box_regression") if name in known]
    if len(names) < 2:
        return ""
    facts = ", ".join(
        f"`{name}` mAP50 {known[name]['int8_map50']:.3f} with {known[name]['multiply_accumulates'] / _MILLION:.0f} M"
        for name in names
    )
    return (
        f"**Detectors**: {facts}. One box without a confidence cannot say that there are two plates, or none. Only "
        "ours gives corners, which tilted plates need."
    )


def _int8(results: Sequence[Result]) -> str:
    lost = {
        each["name"]: each["accuracy"] - each["int8_accuracy"]
        for each in results
        if "int8_accuracy" in each and each.get("epochs")
    }
    if len(lost) < 3:
        return ""
    worst = max(lost, key=lambda name: lost[name])
    usual = sorted(lost.values())[len(lost) // 2]
    verdict = "costs little" if usual < _NOISE else "costs accuracy"
    return (
        f"**int8 {verdict}**: {usual:.3f} in the median, most with `{worst}` ({lost[worst]:.3f}). Check it for each "
        "network, as `./build.sh convert` does for ours."
    )
