"""Registration details."""
