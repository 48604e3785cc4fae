"""What an engineer can take from the study, each with the figures behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.study.boards import BOARDS, milliseconds
from training.study.judging import Result

_CHARACTERS_OF_A_PLATE = 10


def conclusions(results: Sequence[Result], systems: Mapping[str, Mapping[str, Any]]) -> str:
    """A list; what its figures do not support is not said."""
    known = {each["name"]: each for each in results}
    found = [
        _best_characters(results),
        _size(known),
        _segmentation(systems),
        _second_detector(systems),
        _whole_plate(known, systems),
        _augmentation(known),
        _handwriting(known),
        _optimizers(known),
        _correction(known),
        _transfer(known),
        _detectors(known),
        _int8(results),
        _boards(known),
    ]
    return "\n".join(f"{number}. {text}" for number, text in enumerate(filter(None, found), 1))


def _best_characters(results: Sequence[Result]) -> str:
    shown = [each for each in results if each["kind"] == "characters" and not each["name"].startswith("transfer")]
    if not shown:
        return ""
    best = max(shown, key=lambda each: each["int8_accuracy"])
    cheap = [each for each in shown if each["int8_accuracy"] >= best["int8_accuracy"] - 0.02]
    least = min(cheap, key=lambda each: each["multiply_accumulates"])
    text = f"**The best reader of single characters here is `{best['name']}`**: {best['int8_accuracy']:.3f} in int8"
    if least is not best:
        text += (
            f". `{least['name']}` is within two hundredths of it ({least['int8_accuracy']:.3f}) with "
            f"{least['multiply_accumulates'] / 1e6:.1f} instead of {best['multiply_accumulates'] / 1e6:.1f} million "
            "multiply-accumulates: take that one on a small board"
        )
    return text + "."


def _size(known: Mapping[str, Result]) -> str:
    names = [name for name in ("lenet", "alexnet", "cellwise", "tutorial_adam", "vgg9") if name in known]
    if "lenet" not in known or "cellwise" not in known:
        return ""
    facts = ", ".join(
        f"`{name}` {known[name]['int8_bytes'] / 1e6:.1f} MB for {known[name]['int8_accuracy']:.3f}" for name in names
    )
    return f"**Parameters buy little.** {facts}. Most of LeNet's and AlexNet's weights lie in one dense layer."


def _segmentation(systems: Mapping[str, Mapping[str, Any]]) -> str:
    cut = {name: facts for name, facts in systems.items() if name.startswith(("contours+", "projections+"))}
    if not cut or "ours" not in systems:
        return ""
    name, best = max(cut.items(), key=lambda item: item[1]["exact"])
    text = (
        f"**Segmentation costs most of the reads.** The best system that cuts characters out first ({name}) reads "
        f"{best['exact']:.3f} of the test texts, {best['characters']:.3f} of their characters; our shipped reader, "
        "which "
        f"cuts nothing, {systems['ours']['exact']:.3f} and {systems['ours']['characters']:.3f}"
    )
    for dataset, facts in systems["ours"]["datasets"].items():
        on = max(each["datasets"].get(dataset, {}).get("exact", 0.0) for each in cut.values())
        text += f"; on photos of {dataset} {on:.3f} against {facts['exact']:.3f}"
    return text + ". One character that touches a bolt, a frame or its neighbour loses the plate. Do not segment."


def _second_detector(systems: Mapping[str, Mapping[str, Any]]) -> str:
    if "yolo_characters" not in systems:
        return ""
    facts = systems["yolo_characters"]
    cut = [each["exact"] for name, each in systems.items() if name.startswith(("contours+", "projections+"))]
    if not cut:
        return ""
    better = "better" if facts["exact"] > max(cut) else "no better"
    return (
        f"**A second detector for characters is {better} than contours and projections** ({facts['exact']:.3f} against "
        f"{max(cut):.3f} of the test texts at best), and needs the place of every character to learn from, which only "
        "generated plates have."
    )


def _whole_plate(known: Mapping[str, Result], systems: Mapping[str, Mapping[str, Any]]) -> str:
    if not {"crnn", "lenet_ctc", "plate_reader"} <= known.keys():
        return ""
    facts = ", ".join(
        f"`{name}` {known[name]['int8_accuracy']:.3f} of the characters, {known[name]['int8_exact']:.3f} of the texts"
        for name in ("crnn", "lenet_ctc", "plate_reader")
    )
    del systems
    return (
        f"**Whole-plate readers with CTC**: {facts}. `lenet_ctc` is our reader's network taught as shortly as the "
        "others; "
        "the gap to `plate_reader`, which is the same network, is what long training and real plates are worth. Any "
        "gap "
        "between approaches that is smaller than this one says nothing."
    )


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
        f"**Augmentation**: {facts}. It pays once a network has epochs enough to fit the plain pictures; in a few "
        "epochs "
        "it slows learning down, which is what a negative figure shows."
    )


def _handwriting(known: Mapping[str, Result]) -> str:
    if not {"classical_handwriting", "classical_plates"} <= known.keys():
        return ""
    hand, plates = (known[f"classical_{name}"]["int8_accuracy"] for name in ("handwriting", "plates"))
    return (
        f"**Handwriting does not teach plates.** The same network has {hand:.3f} if it learned handwriting and "
        f"{plates:.3f} if it learned as many characters of plates: generate the lettering that you will read."
    )


def _optimizers(known: Mapping[str, Result]) -> str:
    if not {"tutorial_adam", "tutorial_rmsprop"} <= known.keys():
        return ""
    adam, other = (known[f"tutorial_{name}"]["int8_accuracy"] for name in ("adam", "rmsprop"))
    return (
        f"**Adam or RMSprop** makes {adam - other:+.3f} of a difference ({adam:.3f}, {other:.3f}): not worth a thought."
    )


def _correction(known: Mapping[str, Result]) -> str:
    if "corrector_lstm" not in known:
        return ""
    facts = known["corrector_lstm"]["readers"]["ours"]
    before, after = facts["before"]["exact"], facts["int8_after"]["exact"]
    verdict = "breaks more texts than it mends" if after < before else "mends some texts"
    return (
        f"**A recurrent network that corrects texts {verdict}**: {before:.3f} of our reader's texts are right before "
        "it, "
        f"{after:.3f} after it. Serial numbers are random: a wrong digit cannot be guessed from its neighbours. Our "
        "format "
        "priors, which know what is random and keep the reader's doubts, are the better corrector."
    )


def _transfer(known: Mapping[str, Result]) -> str:
    if not {"transfer_pretrained", "transfer_scratch"} <= known.keys():
        return ""
    begun, scratch = (known[f"transfer_{name}"]["abroad_accuracy"] for name in ("pretrained", "scratch"))
    return (
        f"**A new country begins with our weights**: few foreign characters bring {begun:.3f} if the training begins "
        "with "
        f"the weights for Indian ones, {scratch:.3f} from scratch."
    )


def _detectors(known: Mapping[str, Result]) -> str:
    names = [name for name in ("plate_detector", "yolo_plates", "box_regression") if name in known]
    if len(names) < 2:
        return ""
    facts = ", ".join(
        f"`{name}` mAP50 {known[name]['int8_map50']:.3f} with {known[name]['multiply_accumulates'] / 1e6:.0f} M MACs"
        for name in names
    )
    return (
        f"**Detectors**: {facts}. One box without a confidence cannot say that there is no plate or two; a large "
        "backbone "
        "from scratch does not place it either. Only the first gives corners, which tilted plates need."
    )


def _int8(results: Sequence[Result]) -> str:
    lost = {
        each["name"]: each["accuracy"] - each["int8_accuracy"]
        for each in results
        if "int8_accuracy" in each and each.get("epochs")
    }
    if not lost:
        return ""
    worst = max(lost, key=lambda name: lost[name])
    usual = sorted(lost.values())[len(lost) // 2]
    return (
        f"**int8 costs little**: {usual:+.3f} in the median; most for `{worst}` ({lost[worst]:+.3f}). Check it for "
        "each "
        "network; `./build.sh convert` does so for ours."
    )


def _boards(known: Mapping[str, Result]) -> str:
    if not {"plate_detector", "plate_reader"} <= known.keys():
        return ""
    detector, reader = (known[name]["multiply_accumulates"] for name in ("plate_detector", "plate_reader"))
    facts = ", ".join(f"{board.name} ≈ {milliseconds(board, detector + reader):.0f} ms" for board in BOARDS)
    text = (
        "**Which network for which board** (estimates, see below). Our detector and one read of our reader: "
        f"{facts}. On a "
        "Pi 4, 5 and a Jetson take the shipped pair. On a Pi Zero 2 W and a Pi 3 take it too, but let the motion "
        "gate and "
        "the frame rate spare the detector, which has most of the cost"
    )
    if "crnn" in known:
        text += (
            f"; a smaller reader saves little there (`crnn`: {known['crnn']['multiply_accumulates'] / 1e6:.0f} M "
            "instead "
            f"of {reader / 1e6:.0f} M)"
        )
    if "lenet" in known:
        each = known["lenet"]["multiply_accumulates"] * _CHARACTERS_OF_A_PLATE
        text += f". Reading ten characters with LeNet costs {each / 1e6:.0f} M, more than the whole strip with ours"
    return text + "."
