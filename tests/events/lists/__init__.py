"""Tests of `edge_app.events.lists`."""
