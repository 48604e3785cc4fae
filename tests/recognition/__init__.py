"""Tests of `edge_app.recognition`."""
