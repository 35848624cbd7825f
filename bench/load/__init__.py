"""What load is made of: people who send packets to a relay when each is due, and visitors who keep nodes busy.

For a relay: ``generator`` runs each ``person``, whose ``offers`` say which ``streams`` it has, made up or of a
``script``, against ``targets``, of which ``aiortc_server``, ``janus`` and ``relay_server`` (an older build of ours)
are some; ``groups`` are rooms of more than two, and a ``flooder`` is a stranger. All of them are ``processes``, and
``resources`` tells what one holds. ``light`` is our client with media that cost little; a ``way``, of a ``lane`` in
each direction, is a bad network before a browser, which hears ``speech``. For nodes: ``cluster`` starts them,
``door`` stands in the way, ``clerk`` plans, and each ``visitor`` is of a ``crowd`` that waits or of ``consults`` that
run.
"""
