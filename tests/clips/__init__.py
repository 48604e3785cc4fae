"""Tests of `edge_app.clips`."""
