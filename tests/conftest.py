"""What tests of several packages need."""

from collections.abc import Iterator

import pytest

from tests import mosquitto
from tests.mosquitto import Mosquitto, Subscriber


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
