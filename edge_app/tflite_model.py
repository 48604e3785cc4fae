"""The one file that runs a network: loads, verifies its sha256, sets the input, invokes, de-quantizes."""

import contextlib
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_app.errors import ModelError

log = logging.getLogger(__name__)

_REINSTALL = "put the shipped models back (`./build.sh install`) or convert them again (`./build.sh convert`)"

_COLOUR_ORDERS = {"plate-detector": "BGR", "plate-aligner": "GRAY", "plate-reader": "GRAY"}
"""What each kind of network is given."""

SLOW_RUNTIME = "tflite_runtime"
"""The runtime that has no XNNPACK for int8."""

_UNSET_WORKING_POINT = 0.5
"""Of a detector for which none was chosen."""


@dataclass(frozen=True, slots=True)
class InputShape:
    """What a network takes: pixels 0 to 255."""

    width: int
    height: int
    channels: int
    colour_order: str
    """`BGR` or `GRAY`."""


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """The part of `models/NAME.json` that the device needs."""

    name: str
    version: str
    kind: str
    """`plate-detector`, `plate-aligner` or `plate-reader`."""
    input: InputShape
    sha256: str
    alphabet: str = ""
    """A reader's characters; the CTC blank is the class after the last one."""
    stride: int = 0
    """A detector's pixels of input per cell of output."""
    confidence: float = _UNSET_WORKING_POINT
    """A detector's working point: finds count from this confidence on."""

    @classmethod
    def read(cls, path: Path) -> "ModelManifest":
        """Read a manifest; `ModelError` if it is missing or damaged."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                name=fields["name"],
                version=fields["version"],
                kind=fields["kind"],
                input=InputShape(**{key: fields["input"][key] for key in InputShape.__dataclass_fields__}),
                sha256=fields["sha256"],
                alphabet=fields.get("alphabet") or "",
                stride=fields.get("stride") or 0,
                confidence=float(fields.get("working_point", {}).get("confidence", _UNSET_WORKING_POINT)),
            )
        except OSError as error:
            raise ModelError(f"{path}: the manifest cannot be read ({error.strerror}); {_REINSTALL}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path}: the manifest is damaged ({error!r}); {_REINSTALL}") from error


class Network(Protocol):
    """Runs pictures through a network: the int8 model on the device, its float twin for comparison."""

    @property
    def manifest(self) -> ModelManifest:
        """What the network is."""

    def run(self, pixels: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        """Outputs by name for pixels (1, height, width, channels)."""


class TfliteModel:
    """A TFLite model, int8 on the device, in ai-edge-litert or tflite-runtime, whichever the device has."""

    def __init__(self, interpreter: Any, manifest: ModelManifest) -> None:
        self.manifest = manifest
        self._runner = interpreter.get_signature_runner("serving_default")
        ((self._input_name, detail),) = self._runner.get_input_details().items()
        self.input_shape = tuple(int(length) for length in detail["shape"])
        self._quantization = {
            name: detail["quantization"] for name, detail in self._runner.get_output_details().items()
        }

    @classmethod
    def load(cls, path: Path, kind: str, threads: int = 1) -> "TfliteModel":
        """Load the `kind` of network that `path` holds; `ModelError` if it disagrees with the manifest beside it."""
        manifest = ModelManifest.read(path.with_suffix(".json"))
        if (manifest.kind, manifest.input.colour_order) != (kind, _COLOUR_ORDERS[kind]):
            raise ModelError(
                f"{path}: the manifest describes a {manifest.kind} for {manifest.input.colour_order} pictures; "
                f"a {kind} for {_COLOUR_ORDERS[kind]} is wanted; {_REINSTALL}"
            )
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: the model cannot be read ({error.strerror}); {_REINSTALL}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != manifest.sha256:
            raise ModelError(
                f"{path}: sha256 is {found[:12]}…, the manifest has {manifest.sha256[:12]}…: "
                f"the file is truncated or altered; {_REINSTALL}"
            )
        try:
            model = cls.of(content, manifest, threads)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path}: the runtime refuses the model ({error}); {_REINSTALL}") from error
        wanted = manifest.input.height, manifest.input.width, manifest.input.channels
        if model.input_shape != (1, *wanted):
            raise ModelError(f"{path}: takes {model.input_shape}, the manifest has {(1, *wanted)}; {_REINSTALL}")
        return model

    @classmethod
    def of(cls, content: bytes, manifest: ModelManifest, threads: int = 1) -> "TfliteModel":
        """The network of a file's content; `ValueError` or `RuntimeError` if the runtime refuses it."""
        interpreter_class = _interpreter_class()
        with _quiet():
            interpreter = interpreter_class(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
        return cls(interpreter, manifest)

    def run(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Outputs by name, de-quantized, for pixels (1, height, width, channels)."""
        outputs = self._runner(**{self._input_name: pixels})
        return {name: self._dequantize(name, values) for name, values in outputs.items()}

    def _dequantize(self, name: str, values: NDArray[Any]) -> NDArray[np.float32]:
        scale, zero_point = self._quantization[name]
        if not scale:
            return values.astype(np.float32)
        return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)


def runtime_name() -> str:
    """The TFLite runtime found on this machine."""
    return str(_interpreter_class().__module__).split(".", maxsplit=1)[0]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Log what the runtime writes to standard error; as a warning if it continues in spite of an error."""
    with tempfile.TemporaryFile() as written:
        kept = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            written.seek(0)
            for line in written.read().decode(errors="replace").splitlines():
                log.log(logging.WARNING if "error" in line.lower() else logging.DEBUG, "TFLite: %s", line)


def _interpreter_class() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError as error:
            raise ModelError(
                "no TFLite runtime is installed: `pip install ai-edge-litert`, or tflite-runtime in its place"
            ) from error
    return Interpreter
