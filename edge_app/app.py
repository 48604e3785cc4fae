"""The composition root: settings in, running parts out; what reads a plate is built in `stages`."""

import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge_app.capture.file_source import FileSource
from edge_app.capture.motion_gate import MotionGate
from edge_app.capture.source import open_source
from edge_app.config import PrivacySettings, Settings
from edge_app.daemon import Daemon
from edge_app.evaluation.clips.playback import Logbook, Playback, play
from edge_app.events import hash_keys
from edge_app.events.event import EventFactory
from edge_app.events.left_overs import LeftOvers
from edge_app.events.lists.hook import Hook
from edge_app.events.lists.lists import Lists
from edge_app.outbox.outbox import Outbox
from edge_app.pipeline import Pipeline
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.stages import Stages, load_networks, stages_around
from edge_app.tracking.lines import Lines
from edge_app.tracking.passage import Sight
from edge_app.tracking.tracker import Tracker
from edge_app.tracking.zones import Zones
from edge_app.uplink.commander import Commander
from edge_app.uplink.home_assistant import HomeAssistant
from edge_app.uplink.publisher import Publisher

if TYPE_CHECKING:
    from edge_app.events.evidence.seal import Sealer

OUTBOX_FILE = "outbox.sqlite"

log = logging.getLogger(__name__)


def open_video(path: Path, complain: Callable[[str], object] = log.warning) -> FileSource:
    """Every frame of a video, as fast as they are taken; `complain` hears where some are missing."""
    return FileSource(path, camera=path.stem, complain=complain)


def pipeline_around(
    stages: Stages, settings: Settings, watch: Callable[[int, Sight], None] = lambda _track, _sight: None
) -> Pipeline:
    """One frame through these stages; `watch` hears of every sight with the number of its track."""
    return Pipeline(
        stages.detector,
        stages,
        Tracker(settings.tracking.lost_seconds, settings.tracking.begin_confidence),
        stages.voter,
        Zones(settings.zones),
        Lines(settings.lines),
        settings.tracking,
        watch=watch,
    )


def open_lists(settings: Settings) -> Lists:
    """What the operator says of some plates."""
    formats = PlateFormats.load(settings.recognition.formats)
    return Lists(settings.lists, lambda text: formats.match(text).valid, settings.privacy.lists_only)


def open_hook(settings: Settings, stop: threading.Event) -> Hook | None:
    """What is done about plates on a list, where a program is set."""
    return Hook(settings.hook, stop) if settings.hook.program else None


def play_clip(
    path: Path, stages: Stages, settings: Settings, complain: Callable[[str], object] = log.warning
) -> Playback:
    """What the daemon would make of a clip, in its own time and as fast as it goes; `complain` as of `open_video`."""
    logbook = Logbook()
    pipeline = pipeline_around(stages, settings, logbook.note)
    with contextlib.closing(open_video(path, complain)) as source:
        return play(source.frames(), MotionGate(settings.motion), pipeline, logbook, stages.voter)


def load_sealer(settings: Settings) -> "Sealer | None":
    """What signs reads, where that is wanted."""
    if not settings.evidence.enabled:
        return None
    from edge_app.events.evidence import keys
    from edge_app.events.evidence.seal import Sealer

    sealer = Sealer(keys.load(settings.evidence))
    log.info("reads are signed with key %s", sealer.key_name)
    return sealer


def open_outbox(settings: Settings, sealer: "Sealer | None" = None) -> Outbox:
    """Where events wait."""
    hours = settings.privacy.retention_hours
    return Outbox(
        settings.device.state_directory / OUTBOX_FILE,
        max_bytes=int(settings.outbox.max_megabytes * 1e6),
        memory_bytes=int(settings.outbox.memory_megabytes * 1e6),
        keep_free_bytes=int(settings.outbox.keep_free_megabytes * 1e6),
        commit_seconds=settings.outbox.commit_milliseconds / 1e3,
        retention_seconds=None if hours is None else hours * 3600,
        sealer=sealer,
    )


def build_daemon(settings: Settings, commander: Commander | None = None) -> Daemon:
    """The whole of it, from the camera to the broker."""
    detector, reader = load_networks(settings)
    lists, keys, sealer = open_lists(settings), hash_keys.load(settings.privacy), load_sealer(settings)
    stop = threading.Event()
    hook = open_hook(settings, stop)
    source = open_source(settings.camera)  # last: what is wrong in the configuration comes before a camera that is away
    with contextlib.ExitStack() as on_error:
        outbox = on_error.enter_context(contextlib.closing(open_outbox(settings, sealer)))
        if settings.lists or settings.privacy != PrivacySettings():
            outbox.revise(LeftOvers(lists, keys, settings.takes_pictures).revise)
        daemon = Daemon(
            settings,
            source,
            MotionGate(settings.motion),
            pipeline_around(stages_around(detector, reader, settings), settings),
            lists,
            EventFactory(settings, detector.manifest.sha256, reader.manifest.sha256, keys),
            outbox,
            Publisher(
                settings.mqtt,
                settings.device.name,
                outbox,
                stop,
                home_assistant=HomeAssistant(settings) if settings.home_assistant.enabled else None,
                sealer=sealer,
                commander=commander,
            ),
            stop,
            hook,
            commander=commander,
        )
        on_error.pop_all()  # from here on the daemon closes it
    return daemon
