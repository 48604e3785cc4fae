"""MQTT: the connection to the broker, delivery of the events, Home Assistant, commands."""
