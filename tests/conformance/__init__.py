"""What docs/protocol.md asks of a server, as named checks: ``python -m tests.conformance URL --account FILE``.

It uses what any client can: REST, Socket.IO, media. Of this repository it knows the client (`client`) and the
registry of models (`signaling.protocol`), so that another implementation can be tested with it.
"""
