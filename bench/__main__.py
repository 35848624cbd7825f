"""``python -m bench``: all measurements; arguments go to `bench.relay`."""

from bench.relay import main

main()
