"""Home Assistant finds the device by itself: MQTT device discovery, which it understands since its version 2024.12.

Source: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

from typing import Any

from edge_app.capture.camera_health import PictureState
from edge_app.config import Settings
from edge_app.events import messages, topics
from edge_app.events.event import as_json
from edge_app.uplink.connection import Message
from edge_app.uplink.delivery import ALERTING
from edge_app.version import __version__

Component = dict[str, Any]
"""One entity, in Home Assistant's words."""

READ, LATE_READ, UPDATE = "read", "late_read", "update"
"""Types of the event: an automation that opens a gate waits for the first one only."""

_EVENT_TEMPLATE = (
    "{{ {'event_type': 'update' if value_json.revision else 'late_read' if value_json.historical else 'read',"
    " 'text': value_json.plate.text, 'country': value_json.plate.country, 'valid': value_json.plate.valid,"
    " 'confidence': value_json.plate.confidence, 'direction': value_json.geometry.direction,"
    " 'seen': value_json.seen.best, 'event_id': value_json.event_id} | to_json }}"
)

_ALERT_TEMPLATE = (
    "{{ {'event_type': ('late_' if value_json.historical else '') + value_json.lists[0].kind,"
    " 'list': value_json.lists[0].list, 'cost': value_json.lists[0].cost, 'text': value_json.text,"
    " 'confidence': value_json.confidence, 'seen': value_json.seen_at, 'event_id': value_json.event_id} | to_json }}"
)


def _of_one_camera(name: str) -> str:
    """Sets `camera` to the vitals of one camera in a telemetry message, which may have none yet."""
    every = "(value_json.vitals or {}).cameras | default([])"
    return f"{{% set camera = {every} | selectattr('name', 'eq', '{name}') | first | default({{}}) %}}"


class HomeAssistant:
    """The entities of this device for Home Assistant, and when it wants them again."""

    def __init__(self, settings: Settings) -> None:
        prefix = settings.home_assistant.discovery_prefix
        self.status_topic = f"{prefix}/status"
        """The topic on which Home Assistant reports that it has started."""
        topic = f"{prefix}/device/{_identifier(settings)}/config"
        self.announcement = Message(topic, as_json(_device(settings)), retain=True)

    def asks(self, message: Message) -> bool:
        """Whether a message reports that Home Assistant has just started."""
        return message.topic == self.status_topic and message.payload == messages.ONLINE.encode()


def _identifier(settings: Settings) -> str:
    return f"edge-anpr-{settings.device.name}"


def _device(settings: Settings) -> dict[str, Any]:
    identifier = _identifier(settings)
    root = topics.root(settings.mqtt.topic_prefix, settings.device.name)
    entities = _of_the_device(root)
    for camera in [each.name for each in settings.every_camera]:
        entities |= _of_the_camera(root, camera, settings.takes_pictures)
        entities[f"{camera}-alert"] = _alert(root, camera, settings)
    return {
        "device": {
            "identifiers": [identifier],
            "name": settings.device.name,
            "manufacturer": "edge-anpr",
            "model": "number-plate reader",
            "sw_version": __version__,
        },
        "origin": {"name": "edge-anpr", "sw_version": __version__},
        "components": {key: _complete(key, entity, identifier, root) for key, entity in entities.items()},
    }


def _complete(key: str, entity: Component, identifier: str, root: str) -> Component:
    if entity.keys() == {"platform"}:  # this takes an entity away that was there before
        return entity
    identified = {**entity, "unique_id": f"{identifier}-{key}", "qos": 1}
    if entity.get("device_class") == "connectivity":  # the one entity that is of use when we are gone
        return identified
    return {**identified, "availability_topic": topics.status(root)}


def _of_the_camera(root: str, camera: str, images: bool) -> dict[str, Component]:
    image = {
        "name": f"{camera} picture",
        "image_topic": topics.image(root, camera, "+"),
        "content_type": "image/jpeg",
    }
    return {
        f"{camera}-read": {
            "platform": "event",
            "name": f"{camera} read",
            "icon": "mdi:car",
            "state_topic": topics.read(root, camera),
            "event_types": [READ, LATE_READ, UPDATE],
            "value_template": _EVENT_TEMPLATE,
        },
        f"{camera}-image": {"platform": "image"} | (image if images else {}),
        f"{camera}-last": {
            "platform": "sensor",
            "name": f"{camera} last plate",
            "icon": "mdi:card-text-outline",
            "state_topic": topics.last(root, camera),
            "value_template": "{{ value_json.text if value_json is defined else none }}",  # empty: withdrawn
        },
        f"{camera}-state": {
            "platform": "sensor",
            "name": f"{camera} state",
            "device_class": "enum",
            "options": [str(state) for state in PictureState],
            "entity_category": "diagnostic",
            "state_topic": topics.telemetry(root),
            "value_template": _of_one_camera(camera) + "{{ camera.state | default(none) }}",
            "json_attributes_topic": topics.telemetry(root),
            "json_attributes_template": _of_one_camera(camera)
            + "{{ {'reason': camera.reason | default(none), 'since': camera.since | default(none)} | to_json }}",
        },
    }


def _alert(root: str, camera: str, settings: Settings) -> Component:
    if not any(each.kind in ALERTING for each in settings.lists):
        return {"platform": "event"}
    return {
        "platform": "event",
        "name": f"{camera} alert",
        "icon": "mdi:alert",
        "state_topic": topics.alert(root, camera),
        "event_types": [late + kind for late in ("", "late_") for kind in ALERTING],
        "value_template": _ALERT_TEMPLATE,
    }


def _of_the_device(root: str) -> dict[str, Component]:
    telemetry = topics.telemetry(root)
    return {
        "connectivity": {
            "platform": "binary_sensor",
            "name": "Connection",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "state_topic": topics.status(root),
            "payload_on": messages.ONLINE,
            "payload_off": messages.OFFLINE,
        },
        "clock": {
            "platform": "binary_sensor",
            "name": "Clock",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": telemetry,
            "value_template": "{{ 'OFF' if value_json.clock_synchronized else 'ON' }}",
        },
        "vehicles": _count("Vehicles", telemetry, "vitals.vehicles", "total_increasing"),
        "events-waiting": _count("Events waiting", telemetry, "events_waiting", "measurement"),
        "reads-sacrificed": _count("Reads lost", telemetry, "reads_sacrificed", "total_increasing"),
        "images-sacrificed": _count("Pictures lost", telemetry, "images_sacrificed", "total_increasing"),
    }


def _count(name: str, telemetry: str, key: str, state_class: str) -> Component:
    return {
        "platform": "sensor",
        "name": name,
        "state_class": state_class,
        "entity_category": "diagnostic",
        "state_topic": telemetry,
        "value_template": f"{{{{ value_json.{key} | default(none) }}}}",
    }
