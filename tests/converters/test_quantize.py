"""A float network becomes an int8 file: the same every time, near its float self, and dead ones are refused."""

from pathlib import Path

import numpy as np
import pytest

from converters.inspection import inspect
from converters.macs import count_macs
from converters.manifest import write_model
from converters.quantize import quantize
from edge_app.errors import ModelError
from edge_app.tflite_model import InputShape, TfliteModel
from tests.converters.tiny import noise, reader_of_nothing
from training.exports import all_exports
from training.networks import float_twin, load_checkpoint

READER = all_exports()[-1]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    reader_of_nothing().save(tmp_path / "plate_reader.keras")
    return tmp_path / "plate_reader.keras"


def converted(checkpoint: Path) -> bytes:
    return quantize(load_checkpoint(checkpoint, READER.input), noise(READER.input))


def test_converting_twice_gives_the_same_bytes(checkpoint: Path) -> None:
    once = converted(checkpoint)

    again = converted(checkpoint)

    assert once == again


def test_the_file_is_int8_takes_pixels_as_they_are_and_agrees_nearly_with_the_float_network(
    checkpoint: Path,
) -> None:
    network = load_checkpoint(checkpoint, READER.input)
    content = quantize(network, noise(READER.input))

    path = write_model(READER, content, count_macs(network), checkpoint, "noise", checkpoint.parent / "models")
    interface = inspect(content)
    as_float = float_twin(network, READER.manifest()).run(noise(READER.input)[0])["logits"]
    as_int8 = TfliteModel.load(path, READER.kind).run(noise(READER.input)[0])["logits"]

    assert (interface.input.type, interface.outputs["logits"].type) == ("uint8", "int8")
    assert interface.input.scale == pytest.approx(1 / 127.5, rel=1e-3), "the rescaling became the input's scale"
    assert np.abs(as_float - as_int8).max() < 3 * interface.outputs["logits"].scale
    assert np.ptp(as_float) > 20 * interface.outputs["logits"].scale, "else the comparison shows nothing"


def test_the_float_twin_has_the_outputs_of_the_network(checkpoint: Path) -> None:
    network = load_checkpoint(checkpoint, READER.input)
    pixels = noise(READER.input)[0]

    as_float = float_twin(network, READER.manifest()).run(pixels)["logits"]

    np.testing.assert_allclose(as_float, network(pixels.astype(np.float32))["logits"], atol=1e-4)


def test_a_network_with_a_layer_that_never_leaves_zero_is_refused(checkpoint: Path) -> None:
    network = load_checkpoint(checkpoint, READER.input)
    network.get_layer("only").set_weights([np.zeros((4, 1, 1, 37)), np.zeros(37)])

    content = quantize(network, noise(READER.input))

    with pytest.raises(ModelError, match="is zero on every calibration picture: train the network longer"):
        inspect(content)


def test_a_checkpoint_that_is_damaged_or_of_another_shape_is_named(checkpoint: Path) -> None:
    with pytest.raises(ModelError, match=r"reader_of_nothing takes .*, not 32×192×3"):
        load_checkpoint(checkpoint, InputShape(192, 32, 3, "BGR"))

    checkpoint.write_bytes(b"not a network")
    with pytest.raises(ModelError, match=r"plate_reader\.keras: not a readable Keras checkpoint .*; train again"):
        load_checkpoint(checkpoint, READER.input)
