"""What things cost, measured beside a peer in the same run where there is one. See README.md.

``relay``, ``groups``, ``layers``, ``signaling``, ``join``, ``twelve``, ``arrival``, ``server``, ``week``, ``lossy``,
``thin``, ``moving`` and ``soak`` each measure one thing, of the ``load`` that its folder makes, on a ``host`` that
may be busy; ``compared`` puts rounds beside each other, ``plot`` draws them and ``command`` prints tables.
``records`` is what stored records cost at any size.
"""
