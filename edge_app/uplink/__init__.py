"""Events go out: a settled pass becomes an event, waits on disk, and leaves over MQTT."""
