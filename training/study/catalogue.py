"""Every network of the study."""

from training.study.network import StudyNetwork
from training.study.networks import (
    alexnet,
    box_regression,
    cellwise,
    classical,
    corrector,
    crnn,
    hybrid,
    lenet,
    lenet_ctc,
    mobilenet_v2,
    tutorial,
    vgg9,
    yolo,
)

_FILES = (
    lenet, vgg9, mobilenet_v2, alexnet, cellwise, classical, tutorial, crnn, lenet_ctc, corrector, hybrid,
    yolo, box_regression,
)  # fmt: skip


def all_networks() -> dict[str, StudyNetwork]:
    """By name, in the order of the report."""
    return {network.name: network for file in _FILES for network in file.NETWORKS}
