"""One client's connection: its path, its keys, whether it is alive, how much it can take.

``transport`` is the connection; ``ice`` finds its address, ``dtls`` its keys (the only private names of aiortc and
pylibsrtp, loaded without FFmpeg by ``narrow``), ``liveness`` says when silence means gone, ``bandwidth`` what fits,
by ``roundtrips`` and ``probing``.
"""
