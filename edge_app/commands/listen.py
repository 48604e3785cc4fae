"""Subscribe to the broker and print reads as they arrive.

Ends with Ctrl-C or after --count reads. The broker must be there at the beginning. If it goes away later, the command
waits for it without a limit, and reports on standard error why it is not reached and when it is back. With MQTT 5 the
broker keeps what comes meanwhile, for a day and as much as its queue holds. Missing reads are reported. A read that
comes twice, as it may after an outage, is shown, written and counted twice: its `event_id` is the same.
"""

import argparse
import contextlib
import dataclasses
import json
import signal
import sys
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from edge_app import config
from edge_app.commands.json_lines import JsonLinesFile
from edge_app.commands.read_filter import ReadFilter
from edge_app.commands.sequence_gaps import SequenceGaps
from edge_app.config import MqttSettings
from edge_app.events import topics
from edge_app.events.decoder import MessageError, decode
from edge_app.events.messages import ReadMessage
from edge_app.printable import counted, printable
from edge_app.uplink.connection import Message
from edge_app.uplink.subscriber import Subscriber

_SESSION_SECONDS = 24 * 3600
"""Time for which the broker keeps what comes during an outage, even if this process was killed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    broker = parser.add_argument_group("the broker")
    broker.add_argument("--config", type=Path, metavar="FILE", help="take the broker, user and TLS from this file")
    broker.add_argument("--host", help=f"the broker (default: {MqttSettings().host})")
    broker.add_argument("--port", type=_port, help=f"its port (default: {MqttSettings().port})")
    broker.add_argument("--username", metavar="NAME", help="log in as this user")
    broker.add_argument("--password-file", type=Path, metavar="FILE", help="with the password in this file")
    broker.add_argument("--tls", action="store_true", default=None, help="speak TLS; so do the next three")
    broker.add_argument("--ca-file", type=Path, metavar="FILE", help="trust this authority, not those of the system")
    broker.add_argument("--certificate-file", type=Path, metavar="FILE", help="show this certificate to the broker")
    broker.add_argument("--key-file", type=Path, metavar="FILE", help="its private key")
    broker.add_argument(
        "--allow-plaintext-password",
        action="store_true",
        default=None,
        help="send the password without TLS to another machine",
    )
    broker.add_argument(
        "--topic",
        action="append",
        metavar="TOPIC",
        help="a topic to subscribe to, may be given several times (default: every read that may be wanted)",
    )
    wishes = parser.add_argument_group("which reads")
    wishes.add_argument("--device", metavar="NAME", help="of this device")
    wishes.add_argument("--camera", metavar="NAME", help="of this camera")
    wishes.add_argument("--plate", metavar="PATTERN", help="text that matches, as in 'MH12*': * any, ? one character")
    wishes.add_argument("--country", metavar="CODE", help="of this country, as in IN")
    wishes.add_argument("--min-confidence", type=_share, default=0.0, metavar="SHARE", help="as sure as this, 0 to 1")
    wishes.add_argument("--valid", action="store_true", help="text that fits a plate format")
    output = parser.add_argument_group("what is done with them")
    output.add_argument("--json", action="store_true", help="print the JSON that arrives, one message a line")
    output.add_argument("--output", type=Path, metavar="FILE", help="append the same JSON to this file as well")
    output.add_argument("--count", type=_count, metavar="N", help="end after this many")


def run(arguments: argparse.Namespace) -> int:
    """Print until interrupted, or until `--count` is reached."""
    settings = broker_settings(arguments)
    wishes = read_filter(arguments)
    wanted_topics = arguments.topic or [_topic(settings, wishes)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the broker is to keep no session
    with contextlib.ExitStack() as ending:
        ending.enter_context(contextlib.suppress(KeyboardInterrupt))  # first, because connecting may take long
        file = ending.enter_context(JsonLinesFile(arguments.output, append=True)) if arguments.output else None
        subscriber = Subscriber(settings, wanted_topics, threading.Event(), _SESSION_SECONDS, _report)
        ending.enter_context(contextlib.closing(subscriber))
        where = f"{settings.host}:{settings.port} with MQTT {subscriber.version_name}"
        _report(f"connected to {where}, waiting for {', '.join(wanted_topics)}; Ctrl-C ends")
        messages = subscriber.messages()
        if not any(topic.startswith("$share/") for topic in wanted_topics):  # else others get some of the reads
            messages = with_gaps_reported(messages)
        for message in islice(wanted(messages, wishes, arguments.json), arguments.count):
            document = as_json(message)
            print(document if arguments.json else as_line(message), flush=True)
            if file is not None and document is not None:
                file.write([json.loads(document)])
    return 0


def broker_settings(arguments: argparse.Namespace) -> MqttSettings:
    """The settings' file, overruled by the command line."""
    settings = config.load(arguments.config).mqtt if arguments.config else MqttSettings()
    options = {key: getattr(arguments, key, None) for key in MqttSettings.__dataclass_fields__}
    given = {key: value for key, value in options.items() if value is not None}
    if given.keys() & {"ca_file", "certificate_file", "key_file"}:
        given["tls"] = True
    return dataclasses.replace(settings, **given)


def read_filter(arguments: argparse.Namespace) -> ReadFilter:
    """The wishes on the command line."""
    return ReadFilter(
        arguments.device,
        arguments.camera,
        arguments.plate,
        arguments.country,
        arguments.min_confidence,
        arguments.valid,
    )


def wanted(messages: Iterator[Message], wishes: ReadFilter, only_json: bool) -> Iterator[Message]:
    """The messages to show: the reads that meet the wishes; every message if there are no wishes."""
    for message in messages:
        read = _read(message)
        if read is not None and not wishes.admits(read):
            continue
        if read is None and (not wishes.admits_everything or (only_json and as_json(message) is None)):
            continue
        yield message


def with_gaps_reported(messages: Iterator[Message]) -> Iterator[Message]:
    """The same messages; gaps in the numbers of a device's reads are reported."""
    gaps = SequenceGaps()
    for message in messages:
        read = _read(message)
        if read is not None and (missing := gaps.before(read)):
            _report(f"{read.device}: {len(missing)} reads are missing before sequence {read.sequence}")
        yield message


def as_json(message: Message) -> str | None:
    """The message's JSON on one line; None if it is none."""
    try:
        line = json.dumps(json.loads(message.payload), ensure_ascii=False)
        line.encode()  # JSON can escape half a character, which no file takes
    except (ValueError, RecursionError):
        return None
    return line


def as_line(message: Message) -> str:
    """One line for people; a message that is no read is shown by its topic."""
    read = _read(message)
    line = f"{message.topic}  {_content(message.payload)}" if read is None else read_line(read)
    return printable(line)


def read_line(read: ReadMessage) -> str:
    """Time, place, text and confidence."""
    plate, seen = read.plate, read.seen
    kind = " ".join(filter(None, (plate.country, plate.format))) or "no known format"
    listed = "".join(f"  {match.kind}: {match.list}" for match in read.lists)
    update = f"  update: {read.revision}" if read.revision else ""
    late = "  late" if read.historical else ""
    return (
        f"{seen.best.replace('T', ' ')}  {read.device}/{read.camera}  {plate.text:<11} {plate.confidence:4.0%}"
        f"  {kind}, seen in {counted(seen.frames, 'frame')}{listed}{update}{late}"
    )


def _report(what: str) -> None:
    print(f"edge-anpr: {printable(what)}", file=sys.stderr, flush=True)


def _content(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return f"{len(payload)} bytes"


def _read(message: Message) -> ReadMessage | None:
    try:
        return decode(ReadMessage, message.payload)
    except MessageError:
        return None


def _topic(settings: MqttSettings, wishes: ReadFilter) -> str:
    return topics.read(topics.root(settings.topic_prefix, wishes.device or "+"), wishes.camera or "+")


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return share


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65_536:
        raise argparse.ArgumentTypeError(f"{text} is no port: 1 to 65535")
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return count
