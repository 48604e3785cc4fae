"""Cuts a strip into its characters."""
