"""``python -m bench [--write]``: all measurements, one after another."""

from bench import join, relay, server

for part in (relay, join, server):
    part.main()
