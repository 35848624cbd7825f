"""``python -m bench [--write]``: all measurements, one after another."""

from bench import join, relay, server, signaling

for part in (relay, join, server, signaling):
    part.main()
