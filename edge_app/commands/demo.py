"""Show the whole path on a clip that comes with the package: no camera, no broker, no configuration.

The clip goes through the daemon into an embedded broker. The reads are printed as they arrive over MQTT. A table
compares them with the vehicles of the clip. Exit code 1: a plate was missed or misread.

With --web the clip plays at its own pace, again and again, and the page shows it in a browser until Ctrl-C.
"""

import argparse
import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

from edge_app import app, logs
from edge_app.commands.json_lines import JsonLinesFile
from edge_app.commands.listen import read_line
from edge_app.config import CameraSettings, DeviceSettings, LogSettings, MqttSettings, Settings
from edge_app.configuration.toml_text import as_toml
from edge_app.demo import CLIP, comparison, picture
from edge_app.demo.embedded_broker import EmbeddedBroker
from edge_app.demo.watcher import Watcher
from edge_app.errors import UsageError
from edge_app.evaluation.clips.truth import read_clips
from edge_app.events.decoder import as_record
from edge_app.events.messages import ReadMessage
from edge_app.recognizer import PlateRecognizer
from edge_app.service import reload

_LAST_WORD_SECONDS = 5.0
_ADDRESS = "127.0.0.1:8080"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--web",
        nargs="?",
        const=_ADDRESS,
        metavar="ADDRESS",
        help=f"show the page, at {_ADDRESS} or another address and port of this machine",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("edge-anpr-demo"),
        metavar="DIR",
        help="folder for the annotated picture and the reads (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Play, print, compare; or show the page."""
    if arguments.web is not None:
        _show(arguments.web)
        return 0
    output: Path = arguments.output
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{output}: cannot be made ({error.strerror}); give --output another folder") from error
    logs.configure(LogSettings(level="warning"))
    (clip,) = read_clips(CLIP.parent)
    vehicles = clip.vehicles
    print(f"A rendered road, {len(vehicles)} vehicles: clip -> daemon -> MQTT broker -> here", flush=True)
    began = time.monotonic()
    with JsonLinesFile(output / "reads.jsonl") as file:
        reads = _play()
        file.write(reads)
    print(f"played in {time.monotonic() - began:.1f} s\n", flush=True)

    rows = comparison.compare(vehicles, reads)
    print(comparison.as_table(rows))
    texts = {read["plate"]["text"] for read in reads}
    picture.write(output / "annotated.jpg", PlateRecognizer(), vehicles, texts)
    print(f"\nsee {output / 'annotated.jpg'} and {output / 'reads.jsonl'}")
    return 0 if all(row.verdict == "right" for row in rows) else 1


def _show(address: str) -> None:
    """The daemon on the clip without end, with the page; zones that are drawn last as long as it runs."""
    with EmbeddedBroker() as broker, tempfile.TemporaryDirectory(prefix="edge-anpr-demo-") as folder:
        path = Path(folder, "config.toml")
        tables: dict[str, dict[str, str | int]] = {
            "device": {"name": "demo", "state_directory": folder},
            "camera": {"name": "road", "source": f"file:{CLIP}?loop=1&speed=1"},
            "mqtt": {"host": broker.host, "port": broker.port},
            "web": {"listen": address},
            "log": {"level": "warning"},
        }
        lines = [
            "\n".join([f"[{section}]", *(f"{key} = {as_toml(value)}" for key, value in table.items())])
            for section, table in tables.items()
        ]
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        print(f"The page is at http://{address}/ until Ctrl-C ends it.", flush=True)
        reload.run(path, app.build_daemon)


def _play() -> list[dict[str, Any]]:
    """The clip through the daemon and the broker; what arrived."""
    with EmbeddedBroker() as broker, tempfile.TemporaryDirectory(prefix="edge-anpr-demo-") as state:
        settings = Settings(
            device=DeviceSettings(name="demo", state_directory=Path(state)),
            camera=CameraSettings(name="road", source=f"file:{CLIP}"),
            mqtt=MqttSettings(host=broker.host, port=broker.port),
        )
        watcher = Watcher(settings.mqtt, settings.device.name, _print)
        with contextlib.closing(watcher):
            daemon = app.build_daemon(settings)
            daemon.run()
            if daemon.asked_to_stop:
                raise KeyboardInterrupt
            watcher.wait(_LAST_WORD_SECONDS)
        return watcher.reads


def _print(read: dict[str, Any]) -> None:
    print(read_line(as_record(ReadMessage, read)), flush=True)
