"""From one participant's packets to the others', without opening a frame.

``router`` says whose a packet is; ``rooms`` carries out what signaling asks for, on a ``room`` and its ``peer``. A
``publication`` is a source of a peer, what it needs of it the ``uplink``, agreed on in ``offers``. It comes in as one
``stream`` or as several, its layers: each checked by ``trust``, put in order by ``numbering``, kept in a ``ring``, sent
to its ``audience``. What a peer is shown is its ``viewing``: by ``allocation``, in a ``slot``, or in a ``layered_slot``
where there are layers to choose from, with ``thinning`` of their frames. Beside the packets' path stand ``keyframes``,
``loss``, ``loss_share``, ``feedback``, ``reports`` and what is ``reported``, ``padding`` to try a line, the
``publisher_cap``, and ``counters``. What may forward packets in place of streams is a ``pump``.
"""
