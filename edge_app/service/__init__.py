"""The life of the process: systemd, its threads, and another life when the configuration is reloaded."""
