"""What `doctor` finds of the service: what systemd and the service itself say."""

from collections.abc import Iterator

from edge_app.commands.finding import FAULT, OK, WARNING, Finding
from edge_app.errors import EdgeAnprError
from edge_app.events.connection_state import ConnectionState
from edge_app.events.disk_state import DiskState
from edge_app.printable import counted
from edge_app.service.release.health import Health
from edge_app.service.release.installation import CONFIGURATION, Installation

_JOURNAL = "`journalctl -u edge-anpr -n 20` has its last words"


def check_service(health: Health, is_configured: bool, may_ask: bool = True) -> Iterator[Finding]:
    """Whether it runs and publishes."""
    if (fault := _why_not_running(health, is_configured)) is not None:
        yield Finding("service", FAULT, fault)
        return
    status = health.status
    if status is None and may_ask:
        yield Finding("service", FAULT, f"active, and does not answer on its socket; wait a minute; {_JOURNAL}")
        return
    if status is None:
        yield Finding("service", WARNING, "active; how it is, it tells root and its own group; run this with sudo")
        return
    waiting = (status.get("telemetry") or {}).get("events_waiting", 0)
    broker = (status.get("parts") or {}).get("broker", {})
    if not status.get("alive"):
        yield Finding("service", FAULT, f"its main loop hangs; systemd starts it again soon; {_JOURNAL}")
    elif not broker.get("well"):
        yield Finding("service", FAULT, f"does not publish, {counted(waiting, 'event')} wait: {_advice(broker)}")
    elif health.restarts:
        again = f"it was started again {counted(health.restarts, 'time')}"
        yield Finding("service", WARNING, f"publishes, {counted(waiting, 'event')} wait; {again}: {_JOURNAL}")
    else:
        yield Finding("service", OK, f"publishes, {counted(waiting, 'event')} wait")
    if (wrong := (status.get("configuration") or {}).get("wrong")) is not None:
        words = "the service does not use the present file, but the last good one; mend it, then `systemctl reload"
        yield Finding("configuration in use", FAULT, f"{words} edge-anpr`: {wrong}")
    if (state := (status.get("parts") or {}).get("disk", {}).get("state", "good")) != DiskState.GOOD:
        words = f"the service finds its disk {state}, and events wait in memory; free room, or make its folder anew"
        yield Finding("outbox", FAULT, words)


def check_camera_of(health: Health) -> Finding | None:
    """The camera as the running service sees it: most serve one program only. None if it does not run."""
    if health.state != "active":
        return None
    if health.status is None:
        return Finding("camera", WARNING, "the service has it, and tells root how it is; run this with sudo")
    part = health.status.get("parts", {}).get("camera", {})
    if part.get("well"):
        return Finding("camera", OK, f"{part.get('state')} at the service")
    return Finding("camera", FAULT, f"{part.get('state', 'unknown')} at the service; check cable, power and address")


def check_release(installation: Installation) -> Iterator[Finding]:
    """Whether what is installed is what was signed."""
    release = installation.releases.current
    if release is None:
        return
    try:
        installation.check(release)
    except EdgeAnprError as error:
        yield Finding("release", FAULT, str(error))
    else:
        signed = "signed by a key that this device knows" if release.signatures() else "not signed, as from a checkout"
        yield Finding("release", OK, f"{release.name}: every file is as it was packed; {signed}")
    if installation.releases.trial is not None:
        yield Finding("release", WARNING, "it is new and still being watched; wait a minute")


def _why_not_running(health: Health, is_configured: bool) -> str | None:
    if not is_configured:
        return (
            f"not configured, and waits: copy /{CONFIGURATION}/config.default.toml to config.toml beside it, set camera"
            " and broker, then `systemctl start edge-anpr`"
        )
    if health.state == "active":
        return None
    if health.state == "ended":
        return f"it ended, and is started again, {counted(health.restarts, 'time')} so far; {_JOURNAL}"
    if health.state == "activating":
        return "it starts; ask again in a minute"
    if health.state == "inactive":
        return "it does not run; `systemctl start edge-anpr`"
    return f"{health.state}; {_JOURNAL}"


def _advice(broker: dict[str, str]) -> str:
    state = broker.get("state", "unknown")
    known = {str(each): each.advice for each in ConnectionState}
    return f"{state}; {known.get(state, 'see its log')}"
