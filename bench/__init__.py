"""What things cost, measured beside a peer in the same run where there is one. See README.md.

``relay``, ``signaling``, ``join``, ``arrival``, ``server`` and ``week`` each measure one thing, of the ``load``
that its folder makes, and ``command`` prints their tables; ``records`` is what stored records cost at any size.
"""
