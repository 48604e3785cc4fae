"""Tests of `edge_app.remote`."""
