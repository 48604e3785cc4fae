"""Tests of `edge_app.demo`."""
