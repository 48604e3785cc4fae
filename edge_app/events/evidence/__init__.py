"""Reads are signed and chained, so that anybody can check later what the device has published."""
