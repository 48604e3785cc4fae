"""The composition root: settings in, running parts out; nothing else builds a stage."""

import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge_app.capture.file_source import FileSource
from edge_app.capture.motion_gate import MotionGate
from edge_app.capture.source import open_source
from edge_app.clips.playback import Logbook, Playback, play
from edge_app.config import PrivacySettings, Settings
from edge_app.daemon import Daemon
from edge_app.detection.detector import PlateDetector
from edge_app.errors import ConfigurationError, ModelError
from edge_app.lists.hook import Hook
from edge_app.lists.lists import Lists
from edge_app.pipeline import Pipeline
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.recognition.reader import PlateReader
from edge_app.recognition.rectifier import Rectifier
from edge_app.recognizer import PlateRecognizer, Stages
from edge_app.remote.commander import Commander
from edge_app.second_look import SecondLook
from edge_app.tflite_model import Network, TfliteModel
from edge_app.tracking.lines import Lines
from edge_app.tracking.passage import Sight
from edge_app.tracking.tracker import Tracker
from edge_app.tracking.voter import Voter
from edge_app.tracking.zones import Zones
from edge_app.uplink import hash_keys
from edge_app.uplink.event import EventFactory
from edge_app.uplink.home_assistant import HomeAssistant
from edge_app.uplink.left_overs import LeftOvers
from edge_app.uplink.outbox import Outbox
from edge_app.uplink.publisher import Publisher

if TYPE_CHECKING:
    from edge_app.evidence.seal import Sealer

DETECTOR_FILE = "plate_detector.tflite"
READER_FILE = "plate_reader.tflite"
OUTBOX_FILE = "outbox.sqlite"

log = logging.getLogger(__name__)

_PACKAGE = Path(__file__).resolve().parent


def models_directory(settings: Settings) -> Path:
    """Where the networks are: as set, or those shipped with the package or lying beside it in its repository."""
    if (set_here := settings.models.directory) is not None:
        if not set_here.is_dir():
            raise ConfigurationError(f"[models] directory: {set_here}: no such folder; name the one with the models")
        return set_here
    places = [_PACKAGE / "models", _PACKAGE.parent / "models"]
    for place in places:
        if (place / DETECTOR_FILE).is_file():
            return place
    looked = " and ".join(str(place) for place in places)
    raise ModelError(f"no models in {looked}; put them there, or name their folder as `directory` in [models]")


def load_networks(settings: Settings) -> tuple[TfliteModel, TfliteModel]:
    """The detector's network and the reader's."""
    directory = models_directory(settings)
    threads = settings.models.threads
    detector = TfliteModel.load(directory / DETECTOR_FILE, "plate-detector", threads)
    return detector, TfliteModel.load(directory / READER_FILE, "plate-reader", threads)


def stages_around(detector: Network, reader: Network, settings: Settings) -> Stages:
    """What reads a picture, around two networks of any kind."""
    plate_reader = PlateReader(reader)
    formats = PlateFormats.load(settings.recognition.formats)
    return Stages(
        detector=PlateDetector(detector, settings.detection.confidence, settings.detection.max_plates),
        rectifier=Rectifier(reader.manifest.input.width, reader.manifest.input.height),
        reader=plate_reader,
        voter=Voter(formats, plate_reader.alphabet, settings.recognition.max_candidates),
    )


def build_stages(settings: Settings) -> Stages:
    """What reads a picture."""
    return stages_around(*load_networks(settings), settings)


def build_recognizer(settings: Settings) -> PlateRecognizer:
    """Reads single pictures."""
    return PlateRecognizer(build_stages(settings))


def open_video(path: Path, complain: Callable[[str], object] = log.warning) -> FileSource:
    """Every frame of a video, as fast as they are taken; `complain` hears where some are missing."""
    return FileSource(path, camera=path.stem, complain=complain)


def pipeline_around(
    stages: Stages, settings: Settings, watch: Callable[[int, Sight], None] = lambda _track, _sight: None
) -> Pipeline:
    """One frame through these stages; `watch` hears of every sight with the number of its track."""
    return Pipeline(
        stages.detector,
        stages.rectifier,
        stages.reader,
        Tracker(settings.tracking.lost_seconds, settings.tracking.begin_confidence),
        stages.voter,
        Zones(settings.zones),
        Lines(settings.lines),
        settings.tracking,
        watch=watch,
        second_look=SecondLook(stages),
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
    from edge_app.evidence import keys
    from edge_app.evidence.seal import Sealer

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
