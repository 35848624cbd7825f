"""``python -m bench [--write]``: all measurements, one after another."""

from bench import join, relay, server, signaling
from bench.records import __main__ as records

for part in (relay, join, server, signaling, records):
    part.main()
