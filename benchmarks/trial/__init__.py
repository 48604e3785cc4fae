"""Deploying, tried on real systemd: containers as devices, a real sshd, a real mosquitto. `./build.sh trial`."""
