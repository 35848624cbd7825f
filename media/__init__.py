"""The relay: packets in, packets out, in processes of their own that know nothing of rooms or people.

| place | what is there |
|---|---|
| ``control``, ``messages`` | how other folders talk to a worker: the only modules that they may import |
| ``processes``, ``worker``, ``control_server``, ``load`` | the worker's process, and its side of that talk |
| ``forwarding`` | from one participant's packets to the others' |
| ``pump`` | the same in C, for packets in order: an option |
| ``session`` | one client's connection |
| ``settings``, ``redis_address``, ``refusals``, ``logs`` | what is set; the codes with which something is not taken |
| ``wire``, ``net`` | formats without sockets; sockets without formats |
"""
