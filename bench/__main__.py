"""``python -m bench [--write]``: all measurements, one after another."""

from bench import arrival, groups, join, layers, relay, server, signaling, twelve
from bench.records import __main__ as records

for part in (relay, groups, layers, join, twelve, arrival, server, signaling, records):
    part.main()
