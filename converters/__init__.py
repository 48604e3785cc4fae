"""Workstation: a trained float network becomes the int8 model the device runs, compared with its float self."""
