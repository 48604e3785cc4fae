"""The uplink: events made, kept and published."""
