"""The relay: packets in, packets out, in processes of their own that know nothing of rooms or people.

| place | what is there |
|---|---|
| ``control``, ``messages`` | how other folders talk to a worker: the only modules that they may import |
| ``processes``, ``worker``, ``control_server`` | the worker's process, and its side of that talk |
| ``router``, ``room``, ``peer`` | whose a packet is, and who is shown to whom |
| ``publication``, ``slot``, ``ring``, ``numbering`` | a source as it comes in, and as it leaves |
| ``transport``, ``ice``, ``dtls`` | a client's connection |
| ``keyframes``, ``loss``, ``bandwidth``, ``feedback``, ``reports`` | what is decided beside the packets' path |
| ``wire``, ``net`` | formats without sockets; sockets without formats |
"""
