"""Registration details from the operator's own source join a read."""
