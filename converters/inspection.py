"""Inspects a TFLite file without running it: scales, and whether it is int8 throughout and alive."""

from dataclasses import dataclass
from typing import Any

from edge_app.errors import ModelError

_DEAD_SCALE = 1e-8
"""The converter gives a layer that never left zero a scale of 7.8e-9, and XNNPACK breaks down on it."""


@dataclass(frozen=True, slots=True)
class Quantization:
    """value = (integer - zero_point) * scale."""

    type: str
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class Interface:
    """The quantization of what goes in and what comes out."""

    input: Quantization
    outputs: dict[str, Quantization]


def inspect(content: bytes) -> Interface:
    """The interface of an int8 model; `ModelError` if it is not int8 throughout or a layer is dead."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    type_names = {value: name.lower() for name, value in vars(schema.TensorType).items() if name.isupper()}
    for tensor in graph.tensors:
        _check(tensor, type_names[tensor.type], constant=bool(len(_bytes(model.buffers[tensor.buffer]))))
    signature = model.signatureDefs[0]
    outputs = {
        output.name.decode(): _quantization(graph.tensors[output.tensorIndex], type_names)
        for output in signature.outputs
    }
    return Interface(_quantization(graph.tensors[graph.inputs[0]], type_names), dict(sorted(outputs.items())))


def _bytes(buffer: Any) -> Any:
    return buffer.data if buffer.data is not None else b""


def _check(tensor: Any, type_name: str, constant: bool) -> None:
    name = tensor.name.decode()
    if type_name.startswith("float"):
        raise ModelError(f"{name} stayed {type_name}: the model would not run in int8 throughout")
    if not constant and type_name == "int8" and tensor.quantization.scale[0] < _DEAD_SCALE:
        raise ModelError(
            f"{name} is zero on every calibration picture: train the network longer, or calibrate with other pictures"
        )


def _quantization(tensor: Any, type_names: dict[int, str]) -> Quantization:
    parameters = tensor.quantization
    return Quantization(type_names[tensor.type], float(parameters.scale[0]), int(parameters.zeroPoint[0]))
