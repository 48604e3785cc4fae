"""What `doctor` makes of what systemd and the service say."""

import pytest

from edge_app.commands.finding import FAULT, OK, WARNING
from edge_app.commands.service_checks import check_camera_of, check_service
from edge_app.service.release.health import Health


def status(broker: str = "connected", disk: str = "good", camera: bool = True, wrong: str | None = None) -> object:
    return {
        "alive": True,
        "telemetry": {"events_waiting": 3},
        "configuration": {"wrong": wrong},
        "parts": {
            "camera": {"well": camera, "state": "pictures arrive" if camera else "no picture for 40 s"},
            "broker": {"well": broker == "connected", "state": broker},
            "disk": {"well": disk == "good", "state": disk},
        },
    }


def health(state: str = "active", restarts: int = 0, **facts: object) -> Health:
    found = status(**facts)  # type: ignore[arg-type]
    assert isinstance(found, dict)
    return Health(state, restarts, found if state == "active" else None)


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (health(), OK, "publishes, 3 events wait"),
        (health(restarts=2), WARNING, "started again 2 times"),
        (health(broker="login refused"), FAULT, "does not publish, 3 events wait: login refused; check `username`"),
        (health("failed"), FAULT, "failed; `journalctl -u edge-anpr"),
        (health("ended", restarts=7), FAULT, "is started again, 7 times so far"),
        (health("inactive"), FAULT, "it does not run; `systemctl start edge-anpr`"),
        (health("activating"), FAULT, "it starts"),
        (Health("active", 0, None), FAULT, "does not answer on its socket"),
    ],
)
def test_a_service_that_does_not_publish_is_a_fault(found: Health, state: str, words: str) -> None:
    first, *_ = check_service(found, is_configured=True)

    assert (first.subject, first.state) == ("service", state)
    assert words in first.words


def test_a_service_that_is_not_configured_is_told_what_it_waits_for() -> None:
    (finding,) = check_service(health("inactive"), is_configured=False)

    assert (finding.state, "copy /etc/edge-anpr/config.default.toml" in finding.words) == (FAULT, True)


def test_who_may_not_ask_is_told_so() -> None:
    (finding,) = check_service(Health("active", 0, None), is_configured=True, may_ask=False)

    assert (finding.state, "run this with sudo" in finding.words) == (WARNING, True)


def test_the_last_good_configuration_and_a_full_disk_are_faults_of_their_own() -> None:
    found = check_service(health(disk="full", wrong="config.toml:3: nonsense"), is_configured=True)

    assert {finding.subject: finding.state for finding in found} == {
        "service": OK,
        "configuration in use": FAULT,
        "outbox": FAULT,
    }


def test_the_camera_that_the_service_holds_is_judged_by_the_service() -> None:
    working, lost = check_camera_of(health()), check_camera_of(health(camera=False))

    assert working is not None
    assert lost is not None
    assert (working.state, lost.state) == (OK, FAULT)
    assert "no picture for 40 s at the service; check cable" in lost.words
    assert check_camera_of(health("failed")) is None, "then it is opened"
