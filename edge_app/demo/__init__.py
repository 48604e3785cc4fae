"""The demo: a rendered clip, the real daemon, a broker in this process, and what came out compared with the truth."""
