"""Topic names, in one place. A plate's text is never part of one."""


def root(prefix: str, device: str) -> str:
    """`<prefix>/<device>`."""
    return f"{prefix}/{device}"


def read(root: str, camera: str) -> str:
    """Every vehicle."""
    return f"{root}/{camera}/read"


def last(root: str, camera: str) -> str:
    """The latest vehicle, retained, for dashboards."""
    return f"{root}/{camera}/last"


def alert(root: str, camera: str) -> str:
    """Plates on a deny or watch list."""
    return f"{root}/{camera}/alert"


def image(root: str, camera: str, event_id: str) -> str:
    """An event's picture."""
    return f"{root}/{camera}/image/{event_id}"


def status(root: str) -> str:
    """Whether the device is online, retained."""
    return f"{root}/status"


def telemetry(root: str) -> str:
    """The state of the device, retained."""
    return f"{root}/telemetry"


def command(root: str, name: str) -> str:
    """Requests to the device."""
    return f"{root}/cmd/{name}"


def answer(root: str) -> str:
    """Answers to requests that name no response topic."""
    return f"{root}/answer"


def doctor(root: str) -> str:
    """`edge-anpr doctor` tests here whether the broker takes our messages."""
    return f"{root}/doctor"


def doctor_command(root: str) -> str:
    """`edge-anpr doctor` tests here whether commands arrive; the daemon ignores it."""
    return command(root, "doctor")
