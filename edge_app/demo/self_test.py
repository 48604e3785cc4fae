"""Pictures with known plates, read on this machine, and the networks' outputs compared with recorded ones.

ai-edge-litert gives the same bits on every processor; another runtime is judged by the plates alone.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from edge_app.errors import EdgeAnprError, ModelError
from edge_app.recognizer import PlateRecognizer
from edge_app.records import ImageBgr
from edge_app.tflite_model import Network

FOLDER = Path(__file__).parent / "known"
_SURE = 0.9
"""Of the plates shown the networks are at least this sure; farther ones may be seen, and read with doubt."""
RECORDED = "golden.json"
"""The file with the recorded outputs, beside the models that it was made with."""
EXACT_RUNTIME = "ai_edge_litert"


def known_plates() -> dict[str, list[str]]:
    """The plates of each picture, in the order of their texts."""
    plates: dict[str, list[str]] = json.loads((FOLDER / "plates.json").read_text(encoding="utf-8"))
    return plates


def misread(recognizer: PlateRecognizer) -> Iterator[str]:
    """The pictures whose plates are not read as they are, and what is read in their place."""
    for name, plates in known_plates().items():
        reads = recognizer.recognize(_picture(name))
        texts = sorted(read.text for read in reads if read.confidence >= _SURE)
        if texts != plates:
            yield f"{name}: read {', '.join(texts) or 'nothing'} where {', '.join(plates)} is shown"


def outputs_of(networks: Sequence[Network]) -> dict[str, str]:
    """What to compare: of each picture and network the sha256 of the outputs, bit for bit."""
    return {
        f"{name} {network.manifest.kind} {network.manifest.sha256[:12]}": _digest(network, _picture(name))
        for name in known_plates()
        for network in networks
    }


def recorded_outputs(models: Path) -> dict[str, str] | None:
    """Those of the machine that made the bundle; None in a checkout, which has none."""
    path = models / RECORDED
    if not path.exists():
        return None
    try:
        outputs: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path}: damaged ({error}); install the release again") from error
    return outputs


def _digest(network: Network, image_bgr: ImageBgr) -> str:
    """No resizing and no interpolation on the way in: only the network can make a difference."""
    size = network.manifest.input
    image = image_bgr if size.channels > 1 else cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)[:, :, np.newaxis]
    pixels = np.zeros((1, size.height, size.width, size.channels), np.uint8)
    part = image[: size.height, : size.width]
    pixels[0, : part.shape[0], : part.shape[1]] = part
    digest = hashlib.sha256()
    for name, values in sorted(network.run(pixels).items()):
        digest.update(f"{name} {values.shape}".encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _picture(name: str) -> ImageBgr:
    image = cv2.imread(str(FOLDER / name), cv2.IMREAD_COLOR)
    if image is None:
        raise EdgeAnprError(f"{FOLDER / name}: cannot be read; install the release again")
    return image
