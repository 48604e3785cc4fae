"""Tests of `edge_app.evaluation.clips`."""
