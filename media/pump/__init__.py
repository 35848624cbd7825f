"""An option beside the relay's own path: plain packets are forwarded in C, by a thread that needs no interpreter.

pump.c is the pump, pump.h what it and Python say to each other. ``build`` makes it of them (``source``),
``library`` loads and checks it, ``choice`` says whether it runs. ``lent`` has the streams and ``ring`` their last
second, where the pump reaches both; ``lending`` is what the router knows of it all, ``port`` has the worker's sockets
while it runs.
"""
