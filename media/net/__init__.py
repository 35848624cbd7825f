"""Sockets: datagrams and framed streams, received and sent in batches from preallocated memory."""
