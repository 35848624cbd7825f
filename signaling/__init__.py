"""The application for machines: REST, Socket.IO, sign-in, placement of rooms on media workers, health, logs."""
