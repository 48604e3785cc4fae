"""Our reader's network, taught as long and on the same strips as the others."""

import keras

from training.architectures import plate_reader
from training.study.learning import Learning
from training.study.network import StudyNetwork
from training.study.tasks.strips import StripTask


def build() -> keras.Model:
    """LeNet as a space-displacement network under a CTC layer."""
    return plate_reader()


NETWORKS = (StudyNetwork("lenet_ctc", build, StripTask(), Learning(batch_size=16, rate=1e-3)),)
