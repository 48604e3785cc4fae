"""Pictures from which the converter learns the range of every layer: what the networks see on the device."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.detection.detector import PlateDetector
from edge_app.errors import UsageError
from edge_app.evaluation.datasets import LabelledImage, dataset_folders, read_dataset
from edge_app.image_files import load_image
from edge_app.records import ImageBgr
from edge_app.stages import as_frame
from edge_app.tflite_model import ModelManifest
from training.exports import Export

Pixels = NDArray[np.uint8]

_SEED = 7
_PICTURES, _STRIPS = 150, 600


def calibration_pixels(export: Export, folder: Path | None) -> list[Pixels]:
    """Inputs of the network, from the dataset folders in `folder` or, without one, from generated pictures."""
    if export.kind == "plate-reader":
        return _strips(folder)
    if export.kind == "plate-aligner":
        return _views(folder)
    recorder = _Recorder(export.manifest())
    detector = PlateDetector(recorder)
    for image_bgr in _pictures(folder):
        detector.find(as_frame(image_bgr))
    return recorder.seen


class _Recorder:
    """A network that finds nothing, so that no picture is searched twice, and remembers what it was shown."""

    def __init__(self, manifest: ModelManifest) -> None:
        self.manifest = manifest
        self.seen: list[Pixels] = []

    def run(self, pixels: Pixels) -> Mapping[str, NDArray[np.float32]]:
        """Remember the pixels; a map without plates."""
        self.seen.append(pixels.copy())
        rows, columns = (size // self.manifest.stride for size in pixels.shape[1:3])
        nothing = np.full((1, rows, columns, 1), -99, np.float32)
        return {"score": nothing, "corners": np.zeros((1, rows, columns, 8), np.float32), "lines": nothing}


def _pictures(folder: Path | None) -> Iterator[ImageBgr]:
    if folder is None:
        from training.synthetic.scenes import render_scene

        for index in range(_PICTURES):
            yield render_scene(np.random.default_rng((_SEED, index))).image_bgr
        return
    labels = [label for each in dataset_folders(folder) for label in read_dataset(each) if not label.is_crop]
    if not labels:
        raise UsageError(f"{folder}: its sets hold no whole picture; give a folder with some")
    chosen: list[LabelledImage] = [
        labels[index] for index in np.random.default_rng(_SEED).permutation(len(labels))[:_PICTURES]
    ]
    for label in chosen:
        yield load_image(label.path)


def _views(folder: Path | None) -> list[Pixels]:
    from training.views import ViewSource, find_cuttings

    labels = [] if folder is None else [label for each in dataset_folders(folder) for label in read_dataset(each)]
    chosen = np.random.default_rng(_SEED).permutation(len(labels))[:_PICTURES]
    with ViewSource(find_cuttings([labels[index] for index in chosen]), _SEED) as source:
        images = source.draw(_STRIPS, stream=0).images
    cv2.setNumThreads(-1)
    return [image[None, :, :, None] for image in images]


def _strips(folder: Path | None) -> list[Pixels]:
    from training.real_plates import find_real_plates
    from training.strips import StripSource

    labels = [] if folder is None else [label for each in dataset_folders(folder) for label in read_dataset(each)]
    plates = find_real_plates(labels)
    with StripSource(plates, _SEED) as source:
        images = source.draw(_STRIPS, stream=0, real=0.5 if plates else 0.0).images
    cv2.setNumThreads(-1)
    return [image[None, :, :, None] for image in images]
