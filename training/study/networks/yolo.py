"""One-stage detectors in the manner of YOLO: of plates in pictures, and of characters on strips."""

import keras
from keras import layers

from training.study.boxes import Grid
from training.study.learning import Learning
from training.study.network import StudyNetwork
from training.study.networks.blocks import pixels_of
from training.study.tasks.detection import ROAD_GRID, STRIP_GRID, CharacterGridTask, PlateGridTask

_PLATES = Learning(batch_size=16, rate=2e-3, falls_at=(0.8, 0.9), longer=4)
_CHARACTERS = Learning(batch_size=16, rate=2e-3, falls_at=(0.8, 0.9), longer=1.5)


def build_plates() -> keras.Model:
    """Tiny: a convolution and a pool for each halving, as in Redmon and Farhadi 2018."""
    return _detector(ROAD_GRID, 3, (12, 24, 48, 96), 160, "yolo_plates")


def build_characters() -> keras.Model:
    """The same with one halving less, for strips are small."""
    return _detector(STRIP_GRID, 1, (24, 48, 96), 160, "yolo_characters")


def _detector(grid: Grid, channels: int, halvings: tuple[int, ...], last: int, name: str) -> keras.Model:
    pixels, maps = pixels_of(grid.width, grid.height, channels)
    for count in halvings:
        maps = layers.MaxPooling2D(2)(_convolve(maps, count))
    for _ in range(2):
        maps = _convolve(maps, last)
    found = layers.Conv2D(grid.filters, 1, name="grid")(maps)
    return keras.Model(pixels, {"grid": found}, name=name)


def _convolve(maps: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    maps = layers.Conv2D(channels, 3, padding="same", use_bias=False)(maps)
    return layers.ReLU(6)(layers.BatchNormalization(momentum=0.95)(maps))


NETWORKS = (
    StudyNetwork("yolo_plates", build_plates, PlateGridTask(), _PLATES),
    StudyNetwork("yolo_characters", build_characters, CharacterGridTask(), _CHARACTERS),
)
