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
settings.register_profile("any_seed", derandomize=False, database=None, deadline=None, print_blob=True)
settings.load_profile("own_seed")
pytest.MonkeyPatch().setattr(  # hypothesis would draw constants from the source of every module loaded
    "hypothesis.internal.conjecture.providers.is_local_module_file", lambda path: False
)


EXPECTED_SKIPS = {
    "tests/capture/test_streams.py::test_a_pipeline_gives_frames": "OpenCV as on PyPI has no GStreamer",
    "tests/capture/test_streams.py::test_a_wrong_pipeline_says_what_is_wrong_with_it": "the same",
}
"""Tests that are skipped where CI runs, and why; `--only-expected-skips` fails at any other."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--only-expected-skips",
        action="store_true",
        help="fail if a test is skipped that tests/conftest.py does not list",
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    if unexpected_skips(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for test in unexpected_skips(config):
        terminalreporter.write_line(f"SKIPPED, and not on the list in tests/conftest.py: {test}", red=True)


def unexpected_skips(config: pytest.Config) -> list[str]:
    """Tests that ought to have run; none if the option is not set."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not config.getoption("only_expected_skips"):  # a worker of xdist reports nothing itself
        return []
    return sorted({report.nodeid for report in reporter.stats.get("skipped", [])} - EXPECTED_SKIPS.keys())


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A running mosquitto that anybody may use."""
    with mosquitto.running(tmp_path_factory.mktemp("mosquitto")) as running:
        yield running


@pytest.fixture
def subscriber(broker: Mosquitto) -> Iterator[Subscriber]:
    """Somebody who listens to everything under `anpr/`."""
    listening = Subscriber(broker.port)
    yield listening
    listening.close()


@pytest.fixture
def start(tmp_path: Path, broker: Mosquitto) -> Iterator[Start]:
    """Starts a broker with settings of its own."""
    with ExitStack() as ending:
        yield lambda *settings: ending.enter_context(mosquitto.running(tmp_path, settings))
