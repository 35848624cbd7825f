"""Sockets: datagrams and framed streams, received and sent in batches from preallocated memory.

``udp`` and ``tcp`` are the ports; ``mmsg`` moves many datagrams by one system call (``plain`` where there is none),
from and to the memory of ``arena``; ``outbox`` is what leaves together; ``pulse`` wakes the loop in time;
``addresses`` are what clients can be told.
"""
