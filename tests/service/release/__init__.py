"""Tests of `edge_app/service/release/`."""
