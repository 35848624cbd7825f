"""Socket.IO on real nodes over a real Redis, with people who are clients of the wire."""
