"""The Socket.IO server: one connection of one client, and what it may send."""
