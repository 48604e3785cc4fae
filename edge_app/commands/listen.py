"""Subscribe to the broker and print reads as they arrive."""

import argparse
import contextlib
import dataclasses
import json
import threading
from pathlib import Path
from typing import Any

from edge_app import config
from edge_app.config import MqttSettings
from edge_app.uplink.connection import Message
from edge_app.uplink.messages import READ_SCHEMA
from edge_app.uplink.subscriber import Subscriber


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="take the broker, user and TLS from this file")
    parser.add_argument("--host", help=f"the broker (default: {MqttSettings().host})")
    parser.add_argument("--port", type=int, help=f"its port (default: {MqttSettings().port})")
    parser.add_argument(
        "--topic",
        action="append",
        metavar="TOPIC",
        help="a topic to subscribe to, may be given several times (default: every read of every device)",
    )
    parser.add_argument("--json", action="store_true", help="print the JSON that arrives, one message a line")


def run(arguments: argparse.Namespace) -> int:
    """Print until interrupted."""
    settings = broker_settings(arguments)
    subscriber = Subscriber(settings, arguments.topic or [f"{settings.topic_prefix}/+/+/read"], threading.Event())
    with contextlib.closing(subscriber), contextlib.suppress(KeyboardInterrupt):
        for message in subscriber.messages():
            line = as_json(message) if arguments.json else as_line(message)
            if line is not None:
                print(line, flush=True)
    return 0


def broker_settings(arguments: argparse.Namespace) -> MqttSettings:
    """The settings' file, overruled by what is said on the command line."""
    settings = config.load(arguments.config).mqtt if arguments.config else MqttSettings()
    given = {"host": arguments.host, "port": arguments.port}
    return dataclasses.replace(settings, **{key: value for key, value in given.items() if value is not None})


def as_json(message: Message) -> str | None:
    """The message's JSON on one line; None where it is none."""
    document = _document(message)
    return None if document is None else json.dumps(document, ensure_ascii=False)


def as_line(message: Message) -> str:
    """One line for people; a message that is no read is shown by its topic."""
    document = _document(message)
    if isinstance(document, dict) and document.get("schema") == READ_SCHEMA:
        return read_line(document)
    try:
        return f"{message.topic}  {message.payload.decode()}"
    except UnicodeDecodeError:
        return f"{message.topic}  {len(message.payload)} bytes"


def read_line(read: dict[str, Any]) -> str:
    """When, where, what and how sure."""
    plate, seen = read["plate"], read["seen"]
    kind = " ".join(filter(None, (plate["country"], plate["format"]))) or "no known format"
    late = "  late" if read["historical"] else ""
    where = f"{read['device']}/{read['camera']}"
    return (
        f"{seen['best'].replace('T', ' ')}  {where}  {plate['text']:<11} {plate['confidence']:4.0%}"
        f"  {kind}, seen in {seen['frames']} frames{late}"
    )


def _document(message: Message) -> object:
    try:
        return json.loads(message.payload)
    except ValueError:
        return None
