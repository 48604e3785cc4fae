"""Tests of `edge_app.tracking`."""
