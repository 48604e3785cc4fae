"""Workstation: from pictures, real and generated, to trained float networks."""
