"""What tests of several packages need."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from tests import mosquitto
from tests.mosquitto import Mosquitto, Start, Subscriber

# A property test sees the same examples in every run, whichever tests and modules are loaded beside it. Other
# examples: `pytest --hypothesis-profile any_seed --hypothesis-seed N`.
settings.register_profile("own_seed", derandomize=True, deadline=None)
settings.register_profile("any_seed", derandomize=False, deadline=None, database=None, print_blob=True)
settings.load_profile("own_seed")
pytest.MonkeyPatch().setattr(  # hypothesis would draw constants from the source of every module loaded
    "hypothesis.internal.conjecture.providers.is_local_module_file", lambda path: False
)


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A running mosquitto that anybody may use."""
    if mosquitto.PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    running = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def subscriber(broker: Mosquitto) -> Iterator[Subscriber]:
    """Somebody who listens to everything under `anpr/`."""
    listening = Subscriber(broker.port)
    yield listening
    listening.close()


@pytest.fixture
def start(tmp_path: Path, broker: Mosquitto) -> Iterator[Start]:
    """Starts a broker with settings of its own."""

    def start_with(*settings: str) -> Mosquitto:
        configured = Mosquitto(tmp_path, settings)
        configured.start()
        ending.callback(configured.stop)
        return configured

    with ExitStack() as ending:
        yield start_with
