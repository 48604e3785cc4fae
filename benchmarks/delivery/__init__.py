"""Reliability and cost of the way from the outbox to a subscriber; every broker is a real mosquitto.

`python -m benchmarks.delivery.chaos`, `.offline_day`, `.fleet` and `.disk_writes`, each with `--help`.
"""
