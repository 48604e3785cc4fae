"""Bundles onto devices over ssh, some at a time, and the answer of each."""
