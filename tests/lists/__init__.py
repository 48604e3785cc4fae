"""Tests of `edge_app.lists`."""
