"""The wire protocol: every Socket.IO event, REST body and error that may cross the wire, as one registry of models.

``events`` and ``rest`` are the bodies, ``model`` what they share, ``capabilities`` what both sides agree on first,
``errors`` and ``refusals`` the codes, ``texts`` what a person is told of a code. Bodies with a file of their own:
``codes``, ``consents``, ``correction``, ``groups``, ``guests``, ``handouts``, ``handshake``, ``planning``,
``pushing``, ``report``, ``technical``, ``told``, ``waiting``, ``waiting_room``; ``moments`` are those of all.
"""
