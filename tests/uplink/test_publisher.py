"""Events on their way to a real broker."""

import dataclasses
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from edge_app.backoff import Backoff
from edge_app.config import MqttSettings
from edge_app.errors import ConfigurationError, OutboxError
from edge_app.events.disk_state import DiskState
from edge_app.events.event_schema import MESSAGES, schema_of
from edge_app.events.evidence.seal import Sealer
from edge_app.events.messages import VitalsMessage
from edge_app.outbox.outbox import Outbox
from edge_app.outbox.spilling_queue import Limits
from edge_app.uplink.commander import Commander
from edge_app.uplink.home_assistant import HomeAssistant
from edge_app.uplink.publisher import Publisher
from tests.events.passes import event, factory, plate_pass
from tests.mosquitto import Mosquitto, Subscriber
from tests.outbox.disks import largest_file
from tests.uplink.fault_proxy import FaultProxy


class Running:
    """A publisher in its thread, with an outbox of its own."""

    def __init__(
        self,
        path: Path,
        settings: MqttSettings,
        clock: Callable[[], float] = time.monotonic,
        home_assistant: HomeAssistant | None = None,
        max_bytes: int = 10_000_000,
        sealer: Sealer | None = None,
        commander: Commander | None = None,
    ) -> None:
        self.outbox = Outbox(path, Limits(max_bytes, resend_seconds=settings.resend_seconds))
        self._sealer = sealer
        self.stop_event = threading.Event()
        backoff = Backoff(first_seconds=0.05, most_seconds=0.2)
        self.publisher = Publisher(
            settings, "gate-01", self.outbox, self.stop_event, clock, backoff, home_assistant, sealer, commander
        )
        self.thread = threading.Thread(target=self.publisher.run)

    def put(self, count: int = 1, images: bool = True) -> list[str]:
        """Put events into the outbox; their ids."""
        ids = []
        for _ in range(count):
            made = event(images=images, signer=self._sealer)
            self.outbox.put(made)
            ids.append(made.event_id)
        self.publisher.wake()
        return ids

    def start(self) -> None:
        """Begin to publish."""
        self.thread.start()

    def close(self) -> None:
        """Stop, in any state."""
        self.stop_event.set()
        self.publisher.wake()
        if self.thread.ident is not None:
            self.thread.join(5)
        assert not self.thread.is_alive()
        self.outbox.close()

    def waits_until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Fail where a condition does not come true in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def is_drained(self) -> bool:
        """Whether nothing waits any more."""
        return self.outbox.state().events == 0


Make = Callable[..., Running]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes publishers, all of one outbox, and ends them."""
    with ExitStack() as ending:
        yield lambda *settings: ending.enter_context(closing(Running(tmp_path / "outbox.sqlite3", *settings)))


@pytest.fixture
def running(make: Make, broker: Mosquitto) -> Running:
    return make(broker.settings)


@pytest.fixture
def proxy(broker: Mosquitto) -> Iterator[FaultProxy]:
    with closing(FaultProxy(broker.port)) as between:
        yield between


def through(proxy: FaultProxy) -> MqttSettings:
    return MqttSettings(host="127.0.0.1", port=proxy.port)


def ids_of(messages: list) -> list[str]:  # type: ignore[type-arg]
    return [json.loads(message.payload)["event_id"] for message in messages]


def test_a_read_its_picture_and_the_last_one_arrive_and_are_forgotten(running: Running, subscriber: Subscriber) -> None:
    (event_id,) = running.put()

    running.start()
    (read,) = subscriber.until(1, "/read")
    (last,) = subscriber.until(1, "/last")
    (image,) = subscriber.until(1, f"/image/{event_id}")
    running.waits_until(running.is_drained)

    message = json.loads(read.payload)
    Draft202012Validator(schema_of(MESSAGES["read-1.json"])).validate(message)
    Draft202012Validator(schema_of(MESSAGES["last-1.json"])).validate(json.loads(last.payload))
    assert read.topic == "anpr/gate-01/north/read"
    assert message["event_id"] == event_id
    assert message["sequence"] == 1
    assert not message["historical"]
    assert message["image"]["topic"] == image.topic
    assert message["image"]["sha256"] == hashlib.sha256(image.payload).hexdigest()
    assert [each.topic for each in subscriber.messages].index(image.topic) < [
        each.topic for each in subscriber.messages
    ].index(read.topic)


def test_hundreds_arrive_once_each_and_in_order(running: Running, subscriber: Subscriber) -> None:
    running.start()
    ids = running.put(150) + running.put(150, images=False)

    reads = subscriber.until(300, "/read", seconds=20)
    running.waits_until(running.is_drained)

    assert ids_of(reads) == ids
    assert [json.loads(read.payload)["sequence"] for read in reads] == list(range(1, 301))


def test_what_waited_for_the_broker_arrives_in_order(running: Running, broker: Mosquitto) -> None:
    broker.stop()
    running.start()
    ids = running.put(30)

    broker.start()
    subscriber = Subscriber(broker.port)
    running.waits_until(running.is_drained)

    received = ids_of(subscriber.on("/read"))
    assert received == ids[len(ids) - len(received) :]  # a subscriber that came later misses the first ones
    subscriber.close()


def test_a_broker_that_dies_in_between_costs_nothing(
    running: Running, broker: Mosquitto, subscriber: Subscriber
) -> None:
    running.start()
    first = running.put(5)
    subscriber.until(5, "/read")
    running.waits_until(running.is_drained)

    broker.stop()
    second = running.put(5)
    broker.start()
    running.waits_until(running.is_drained)

    assert ids_of(subscriber.on("/read")) == first
    assert not running.outbox.state().losses
    assert len(second) == 5


def test_an_event_without_its_puback_stays_and_is_sent_again(
    make: Make, proxy: FaultProxy, subscriber: Subscriber
) -> None:
    running = make(through(proxy))
    running.start()
    subscriber.until(1, "/status")

    proxy.withhold.set()
    (event_id,) = running.put()
    subscriber.until(1, "/read")
    assert running.outbox.state().events == 1
    proxy.withhold.clear()
    proxy.cut()
    running.waits_until(running.is_drained)

    assert ids_of(subscriber.until(2, "/read")) == [event_id, event_id]


def test_a_broker_that_acknowledges_nothing_is_left(make: Make, proxy: FaultProxy, subscriber: Subscriber) -> None:
    ahead = threading.Event()
    running = make(through(proxy), lambda: time.monotonic() + (31 if ahead.is_set() else 0))
    running.start()
    subscriber.until(1, "/status")

    proxy.withhold.set()
    running.put()
    subscriber.until(1, "/read")
    proxy.withhold.clear()
    ahead.set()
    running.waits_until(running.is_drained)

    assert proxy.connections == 2


def test_an_event_of_an_earlier_run_is_historical(
    tmp_path: Path, make: Make, broker: Mosquitto, subscriber: Subscriber
) -> None:
    before = Outbox(tmp_path / "outbox.sqlite3")
    before.put(event())
    before.close()
    running = make(broker.settings)

    running.put()
    running.start()

    reads = subscriber.until(2, "/read")
    assert [json.loads(read.payload)["historical"] for read in reads] == [True, False]


def test_an_event_from_before_the_device_was_renamed_names_the_topic_that_its_picture_has_now(
    tmp_path: Path, make: Make, broker: Mosquitto, subscriber: Subscriber
) -> None:
    made = factory(device="yard-07").make(plate_pass())
    with closing(Outbox(tmp_path / "outbox.sqlite3")) as before:
        before.put(made)
    running = make(broker.settings)

    running.start()

    (read,), (image,) = subscriber.until(1, "/read"), subscriber.until(1, f"/image/{made.event_id}")
    assert json.loads(read.payload)["device"] == "yard-07"
    assert json.loads(read.payload)["image"]["topic"] == image.topic
    assert image.topic.startswith("anpr/gate-01/")


def test_an_event_that_waited_long_is_historical_and_only_the_newest_becomes_the_last(
    make: Make, broker: Mosquitto, subscriber: Subscriber
) -> None:
    running = make(broker.settings, lambda: time.monotonic() + 11)
    ids = running.put(3)

    running.start()

    reads = subscriber.until(3, "/read")
    assert all(json.loads(read.payload)["historical"] for read in reads)
    running.waits_until(running.is_drained)
    subscriber.listen(0.2)
    assert ids_of(subscriber.on("/last")) == ids[-1:]


def test_a_read_that_is_withdrawn_takes_no_other_vehicle_from_the_last(
    running: Running, subscriber: Subscriber
) -> None:
    maker = factory()
    running.outbox.put(maker.make(dataclasses.replace(plate_pass("MH12AB1239"), vehicle=7, is_final=False)))
    running.start()
    subscriber.until(1, "/last")
    (other,) = running.put()
    withdrawn = maker.withdraw("north", 7)
    assert withdrawn is not None

    running.outbox.put(withdrawn)
    running.publisher.wake()

    subscriber.until(3, "/read")
    running.waits_until(running.is_drained)
    subscriber.listen(0.2)
    assert ids_of(subscriber.on("/last")) == [withdrawn.event_id, other]


def test_what_was_never_sent_can_be_recalled_once(running: Running) -> None:
    made, other = event(), event()
    running.outbox.put(made, other)

    recalled = [running.publisher.recall(made.event_id) for _ in range(2)]

    assert recalled == [True, False]
    assert [each.event_id for each in running.outbox.pending(10)] == [other.event_id]


def test_what_is_recalled_on_its_way_may_have_arrived_and_is_not_sent_again(
    make: Make, proxy: FaultProxy, subscriber: Subscriber
) -> None:
    running = make(through(proxy))
    proxy.acknowledges = False
    made = event()
    running.outbox.put(made)
    running.start()
    subscriber.until(1, "/read")

    is_unsent = running.publisher.recall(made.event_id)

    proxy.acknowledges = True
    proxy.cut()
    (other,) = running.put()
    assert ids_of(subscriber.until(2, "/read")) == [made.event_id, other]
    assert not is_unsent
    assert [json.loads(each.payload)["reads_withheld"] for each in subscriber.on("/telemetry")] == [0, 1]


def test_a_read_that_an_earlier_run_withdrew_leaves_the_last_too(
    tmp_path: Path, make: Make, broker: Mosquitto, subscriber: Subscriber
) -> None:
    maker = factory()
    maker.make(dataclasses.replace(plate_pass("MH12AB1239"), vehicle=7, is_final=False))
    withdrawn = maker.withdraw("north", 7)
    assert withdrawn is not None
    with closing(Outbox(tmp_path / "outbox.sqlite3")) as before:
        before.put(withdrawn)
    running = make(broker.settings)

    running.start()

    (last,) = subscriber.until(1, "/last")
    assert last.payload == b""


def test_a_sacrificed_picture_is_null_in_its_read(make: Make, broker: Mosquitto, subscriber: Subscriber) -> None:
    running = make(broker.settings, time.monotonic, None, len(event().payload()) + 10)
    running.put()

    running.start()

    (read,) = subscriber.until(1, "/read")
    assert json.loads(read.payload)["image"] is None


def test_the_status_is_there_for_those_who_come_later(running: Running, broker: Mosquitto) -> None:
    running.start()
    running.put()
    running.waits_until(running.is_drained)

    late = Subscriber(broker.port, ["anpr/gate-01/status", "anpr/gate-01/+/last"])

    (status,) = late.until(1, "/status")
    assert (status.payload, status.retain) == (b"online", True)
    late.until(1, "/last")
    late.close()


def test_stopping_publishes_offline(running: Running, subscriber: Subscriber) -> None:
    running.start()
    subscriber.until(1, "/status")

    began = time.monotonic()
    running.stop_event.set()
    running.publisher.wake()
    running.thread.join()

    assert [each.payload for each in subscriber.until(2, "/status")] == [b"online", b"offline"]
    assert time.monotonic() - began < 1.5


def test_what_is_put_just_before_stopping_still_leaves(running: Running, subscriber: Subscriber) -> None:
    running.start()
    subscriber.until(1, "/status")

    running.stop_event.set()
    ids = running.put(10)
    running.thread.join()

    assert ids_of(subscriber.until(10, "/read")) == ids
    assert running.is_drained()


def test_stopping_is_quick_while_the_broker_is_away(running: Running, broker: Mosquitto) -> None:
    broker.stop()
    running.start()
    running.put()

    began = time.monotonic()
    running.stop_event.set()
    running.publisher.wake()
    running.thread.join()

    assert time.monotonic() - began < 1.5
    assert running.outbox.state().events == 1


def test_a_cut_line_lets_the_last_will_speak(make: Make, proxy: FaultProxy, subscriber: Subscriber) -> None:
    running = make(through(proxy))
    running.start()
    subscriber.until(1, "/status")

    proxy.cut()

    payloads = [each.payload for each in subscriber.until(3, "/status")]
    assert payloads == [b"online", b"offline", b"online"]


def test_telemetry_keeps_to_its_schema_and_tells_the_vitals(running: Running, broker: Mosquitto) -> None:
    running.publisher.vitals = VitalsMessage(
        10, frames_dropped=2, frames_corrupt=1, vehicles=1, picture="good", lists=(), hook=None
    )
    running.start()

    late = Subscriber(broker.port, ["anpr/gate-01/telemetry"])

    message = json.loads(late.until(1, "/telemetry")[0].payload)
    Draft202012Validator(schema_of(MESSAGES["telemetry-1.json"])).validate(message)
    assert message["vitals"]["frames_dropped"] == 2
    assert message["connections"] == 1
    late.close()


def test_telemetry_comes_every_30_seconds(make: Make, broker: Mosquitto, subscriber: Subscriber) -> None:
    ahead_seconds = [0.0]
    running = make(broker.settings, lambda: time.monotonic() + ahead_seconds[0])
    running.start()
    subscriber.until(1, "/telemetry")
    subscriber.listen(0.1)

    ahead_seconds[0] = 30.0
    running.publisher.wake()

    subscriber.until(2, "/telemetry", seconds=3)


def guarded(broker: Mosquitto, rules: Path, allowed: str) -> Mosquitto:
    """The broker again, with an access list."""
    rules.write_text(f"topic read #\n{allowed}\n")
    broker.stop()
    fresh = Mosquitto(rules.parent, ["allow_anonymous true", f"acl_file {rules}"])
    fresh.start()
    return fresh


def test_a_picture_that_the_broker_refuses_does_not_hold_up_reads(
    tmp_path: Path, make: Make, broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    strict = guarded(broker, tmp_path / "acl", "topic write anpr/+/+/read")
    subscriber = Subscriber(strict.port)
    running = make(strict.settings)

    running.start()
    ids = running.put(3)

    assert ids_of(subscriber.until(3, "/read")) == ids
    running.waits_until(running.is_drained)
    topic = f"anpr/gate-01/north/image/{ids[0]}"
    refused = f"the broker refuses a picture of 721 bytes on {topic}: Not authorized; it is given up: let its access"
    assert refused in caplog.text
    assert running.outbox.state().losses.images_refused == 3
    assert "the broker refuses anpr/gate-01/north/last: Not authorized; let its access list allow" in caplog.text
    subscriber.close()
    strict.stop()


def test_a_read_that_the_broker_refuses_is_kept(
    tmp_path: Path, make: Make, broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    strict = guarded(broker, tmp_path / "acl", "topic write anpr/+/status")
    running = make(strict.settings)

    running.start()
    running.put(3, images=False)
    running.waits_until(lambda: caplog.text.count("refuses a read on anpr/gate-01/north/read: Not") > 1)

    assert running.outbox.state().events == 3
    strict.stop()


def test_on_a_failing_disk_reads_arrive_all_the_same(running: Running, subscriber: Subscriber) -> None:
    ids = running.put(3)
    running.start()
    subscriber.until(3, "/read")

    with largest_file(4096):
        ids += running.put(3)
        reads = subscriber.until(6, "/read")
        running.waits_until(running.is_drained)

    assert running.outbox.disk is DiskState.FAILING
    assert ids_of(reads) == ids


def test_an_outbox_that_cannot_be_used_ends_the_thread(tmp_path: Path, make: Make, broker: Mosquitto) -> None:
    with largest_file(0):  # it cannot be opened at first
        running = make(broker.settings)
    (tmp_path / "outbox.sqlite3").unlink()
    (tmp_path / "outbox.sqlite3").mkdir()

    with pytest.raises(OutboxError, match="check that its directory is writable"):
        running.publisher.run()
    (tmp_path / "outbox.sqlite3").rmdir()


def test_a_password_does_not_cross_the_network_in_the_clear(running: Running, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("secret\n")
    settings = MqttSettings(host="broker.example", username="gate", password_file=secret)

    with pytest.raises(ConfigurationError, match="in clear text"):
        Publisher(settings, "gate-01", running.outbox, running.stop_event)
