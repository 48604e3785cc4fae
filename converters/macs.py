"""Counts the multiply-accumulates of one run: the cost that width and input size are chosen by."""

from typing import Any

import numpy as np

from edge_app.errors import ModelError

_COUNTED = {"Conv2D", "DepthwiseConv2D", "Dense"}
_RECURRENT = {"Bidirectional", "GRU", "LSTM"}
_FREE = {
    "Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Cropping1D", "Cropping2D",
    "Dropout", "Flatten",
    "GlobalAveragePooling2D", "InputLayer", "Lambda", "MaxPooling2D", "Multiply", "Permute", "ReLU", "Rescaling",
    "Reshape", "Resizing", "Softmax", "UpSampling2D", "ZeroPadding2D",
}  # fmt: skip
"""Layers without weights of their own, or whose weights the converter folds into a convolution."""


def count_macs(model: Any) -> int:
    """Multiply-accumulates of a Keras network whose shapes are all known, at batch size 1."""
    return sum(_layer_macs(layer) for layer in model.layers)


def _layer_macs(layer: Any) -> int:
    kind = type(layer).__name__
    if kind in _FREE:
        return 0
    if kind in _RECURRENT:
        cells = [layer.cell] if kind != "Bidirectional" else [layer.forward_layer.cell, layer.backward_layer.cell]
        kernels = [kernel for cell in cells for kernel in (cell.kernel, cell.recurrent_kernel)]
        return int(layer.input.shape[1]) * sum(int(np.prod(kernel.shape)) for kernel in kernels)
    if kind not in _COUNTED:
        raise ModelError(f"multiply-accumulates of {layer.name} ({kind}) are not known; teach converters/macs.py")
    positions = layer.output.shape[1:-1]
    if None in positions:
        raise ModelError(f"the output size of {layer.name} is not fixed; count after training.networks.at_size")
    return int(np.prod(layer.kernel.shape)) * int(np.prod(positions))
