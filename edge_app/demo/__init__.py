"""The demo: a rendered clip, the real daemon, a broker in this process, and the result compared with the truth."""
