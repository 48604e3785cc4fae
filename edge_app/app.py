"""The composition root: settings in, running parts out; `stages` builds what reads a plate."""

import contextlib
import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge_app.camera_settings import keys_without_effect
from edge_app.capture.camera import Camera
from edge_app.capture.camera_health import CameraHealth
from edge_app.capture.file_source import FileSource
from edge_app.capture.frame_slot import FairTurns, FrameSlot
from edge_app.capture.motion_gate import MotionGate
from edge_app.capture.source import open_source
from edge_app.config import PrivacySettings, Settings
from edge_app.daemon import Daemon
from edge_app.errors import ConfigurationError
from edge_app.evaluation.clips.playback import Logbook, Playback, play
from edge_app.events import hash_keys
from edge_app.events.event import EventFactory
from edge_app.events.hash_keys import HashKeys
from edge_app.events.left_overs import LeftOvers, without_signature
from edge_app.events.lists.hook import Hook
from edge_app.events.lists.lists import Lists
from edge_app.events.messages import SoftwareMessage
from edge_app.lane import Lane
from edge_app.outbox.outbox import Outbox
from edge_app.outbox.retention import Retention
from edge_app.outbox.spilling_queue import Limits
from edge_app.pipeline import Detector, Pipeline, PlateReading
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.stages import Stages, VideoFinder, load_networks, stages_around
from edge_app.tracking.crossings import Crossings
from edge_app.tracking.passage import Observation
from edge_app.tracking.tracker import Tracker
from edge_app.tracking.zones import Zones
from edge_app.uplink.commander import Commander
from edge_app.uplink.home_assistant import HomeAssistant
from edge_app.uplink.publisher import Publisher
from edge_app.version import __version__

if TYPE_CHECKING:
    from edge_app.events.evidence.seal import Sealer
    from edge_app.lookup.lookup import Lookup
    from edge_app.web.window import Window

Watch = Callable[[int, Observation], None]

OUTBOX_FILE = "outbox.sqlite"

log = logging.getLogger(__name__)


def open_video(path: Path, warn: Callable[[str], object] = log.warning) -> FileSource:
    """Every frame of a video, as fast as they are taken; `warn` is called if some are missing."""
    return FileSource(path, camera=path.stem, warn=warn)


def open_lanes(
    stages: Stages,
    settings: Settings,
    window: "Window | None" = None,
    hint: Callable[[str], None] | None = None,
) -> tuple[list[Lane], FairTurns]:
    """Every camera with its own slot, motion gate and pipeline; the networks are the same."""
    changed = threading.Condition()
    slots = [FrameSlot(changed) for _ in settings.every_camera]
    lanes = []
    for each, slot in zip(settings.every_camera, slots, strict=True):
        if unused := list(keys_without_effect(each)):
            log.warning(
                "camera %s: its source has no such control: %s; see docs/cameras.md", each.name, ", ".join(unused)
            )
        camera = Camera(each.name, open_source(each), slot, each.frames_per_second)
        pipeline = pipeline_around(
            stages, settings.of_camera(each.name), partial(window.around, each.name) if window else unwatched, hint
        )
        may_keep = settings.health.reference and not (settings.privacy.no_images or settings.privacy.hash)
        file = settings.device.state_directory / f"reference-{each.name}.png" if may_keep else None
        health = CameraHealth(settings.health, file)
        lanes.append(Lane(camera, MotionGate(settings.motion), pipeline, settings.tracking.lost_seconds, health))
    return lanes, FairTurns(slots, changed)


def unwatched(detector: Detector, reading: PlateReading) -> tuple[Detector, PlateReading, Watch]:
    """The stages of a pipeline that nobody watches."""
    return detector, reading, lambda _track, _observation: None


def pipeline_around(
    stages: Stages,
    settings: Settings,
    around: Callable[[Detector, PlateReading], tuple[Detector, PlateReading, Watch]] = unwatched,
    hint: Callable[[str], None] | None = None,
) -> Pipeline:
    """One frame through these stages.

    `around` may put something around what finds and reads, and adds what is called with each track's number and
    observation; `hint` as in `Pipeline`.
    """
    least = min(stages.detector.confidence, settings.tracking.begin_confidence)
    detector, reading, watch = around(VideoFinder(stages, least), stages)
    return Pipeline(
        detector,
        reading,
        Tracker(settings.tracking.lost_seconds, settings.tracking.begin_confidence),
        stages.voter,
        Zones(settings.zones),
        Crossings(settings.crossing_lines),
        settings.tracking,
        watch=watch,
        hint=hint,
    )


def open_lists(settings: Settings) -> Lists:
    """The operator's lists of plates."""
    formats = PlateFormats.load(settings.recognition.formats)
    return Lists(settings.lists, lambda text: formats.match(text).valid, settings.privacy.lists_only)


def open_hook(settings: Settings, stop: threading.Event) -> Hook | None:
    """The program run for plates on a list, if one is set."""
    return Hook(settings.hook, stop) if settings.hook.program else None


def play_clip(path: Path, stages: Stages, settings: Settings, warn: Callable[[str], object] = log.warning) -> Playback:
    """The events that the daemon would make of a clip, in the clip's own time; `warn` as in `open_video`."""
    logbook = Logbook()
    pipeline = pipeline_around(stages, settings, lambda detector, reading: (detector, reading, logbook.note))
    with contextlib.closing(open_video(path, warn)) as source:
        return play(source.frames(), MotionGate(settings.motion), pipeline, logbook, stages.voter)


def load_sealer(settings: Settings) -> "Sealer | None":
    """What signs reads, if that is enabled."""
    if not settings.evidence.enabled:
        return None
    from edge_app.events.evidence import keys
    from edge_app.events.evidence.seal import Sealer

    sealer = Sealer(keys.load(settings.evidence))
    log.info("reads are signed with key %s", sealer.key_name)
    return sealer


def open_outbox(settings: Settings, lists: Lists, keys: HashKeys | None, sealer: "Sealer | None") -> Outbox:
    """The durable queue of events; those of an earlier run are adapted to the present privacy settings."""
    limits = Limits(
        file_bytes=int(settings.outbox.max_megabytes * 1e6),
        memory_bytes=int(settings.outbox.memory_megabytes * 1e6),
        keep_free_bytes=int(settings.outbox.keep_free_megabytes * 1e6),
        resend_seconds=settings.mqtt.resend_seconds,
        commit_seconds=settings.outbox.commit_milliseconds / 1e3,
    )
    hours = settings.privacy.retention_hours
    retention = None if hours is None else Retention(hours * 3600)
    revise = None
    if settings.lists or settings.privacy != PrivacySettings():
        sign_again = sealer.seal_again if sealer else without_signature
        revise = LeftOvers(lists, keys, settings.takes_pictures, sign_again).revise
    return Outbox(settings.device.state_directory / OUTBOX_FILE, limits, retention, revise)


def open_window(settings: Settings, commander: Commander | None) -> "Window | None":
    """The page and the HTTP API, if they are on: else nothing of them is imported."""
    if settings.web.listen is None:
        return None
    try:
        from edge_app.web.window import Window
    except ImportError as error:
        raise ConfigurationError(
            f"[web] listen: a package is missing ({error.name}); install starlette, uvicorn and prometheus-client"
        ) from error
    return Window(settings, None if commander is None else commander.configuration)


def open_lookup(settings: Settings) -> "Lookup | None":
    """What asks for registration details, if a source is set."""
    if settings.lookup.source == "off":
        return None
    from edge_app.lookup.lookup import Lookup
    from edge_app.lookup.sources import open_source

    return Lookup(settings.lookup, open_source(settings.lookup))


def _ask_if_it_may_be_stored(lists: Lists, lookup: "Lookup", text: str) -> None:
    if lists.match(text) is not None:
        lookup.ask(text)


def build_daemon(settings: Settings, commander: Commander | None = None) -> Daemon:
    """The whole of it, from the cameras to the broker."""
    detector, aligner, reader = load_networks(settings)
    lists, keys, sealer = open_lists(settings), hash_keys.load(settings.privacy), load_sealer(settings)
    stop = threading.Event()
    hook = open_hook(settings, stop)
    window, lookup = open_window(settings, commander), open_lookup(settings)
    hint = None if lookup is None else partial(_ask_if_it_may_be_stored, lists, lookup)
    # Before the outbox: errors in the configuration of a source are reported first.
    lanes, turns = open_lanes(stages_around(detector, aligner, reader, settings), settings, window, hint)
    with contextlib.ExitStack() as on_error:
        outbox = on_error.enter_context(contextlib.closing(open_outbox(settings, lists, keys, sealer)))
        software = SoftwareMessage(__version__, *(network.manifest.sha256 for network in (detector, aligner, reader)))
        publisher = Publisher(
            settings.mqtt,
            settings.device.name,
            outbox,
            stop,
            home_assistant=HomeAssistant(settings) if settings.home_assistant.enabled else None,
            sealer=sealer,
            commander=commander,
        )
        daemon = Daemon(
            settings,
            lanes,
            turns,
            lists,
            EventFactory(settings, software, keys, sealer),
            outbox,
            publisher,
            stop,
            hook,
            commander=commander,
            window=window,
            lookup=lookup,
        )
        on_error.pop_all()  # from here on the daemon closes it
    return daemon
