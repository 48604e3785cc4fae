"""Topic names, in one place. A plate's text is never part of one."""


def root(prefix: str, device: str) -> str:
    """`<prefix>/<device>`."""
    return f"{prefix}/{device}"


def read(root: str, camera: str) -> str:
    """Where every vehicle is told."""
    return f"{root}/{camera}/read"


def last(root: str, camera: str) -> str:
    """Where the latest vehicle stays, for dashboards."""
    return f"{root}/{camera}/last"


def alert(root: str, camera: str) -> str:
    """Where plates on a deny or watch list are told."""
    return f"{root}/{camera}/alert"


def image(root: str, camera: str, event_id: str) -> str:
    """Where an event's picture is sent."""
    return f"{root}/{camera}/image/{event_id}"


def status(root: str) -> str:
    """Where it stays whether the device is there."""
    return f"{root}/status"


def telemetry(root: str) -> str:
    """Where it stays how the device is."""
    return f"{root}/telemetry"


def command(root: str, name: str) -> str:
    """Where somebody asks for something."""
    return f"{root}/cmd/{name}"


def answer(root: str) -> str:
    """Where requests that name no response topic are answered."""
    return f"{root}/answer"


def doctor(root: str) -> str:
    """Where `edge-anpr doctor` tries whether the broker takes what we write."""
    return f"{root}/doctor"


def doctor_command(root: str) -> str:
    """Where it tries whether commands arrive; the daemon passes over it."""
    return command(root, "doctor")
