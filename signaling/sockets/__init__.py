"""The Socket.IO server: one connection of one client, and what it may send.

``server`` is the gate that every packet passes, after ``acceptance``; below it stand ``engine`` (Engine.IO),
``frames`` (the WebSocket) and ``library`` (the only private names of both libraries). ``socket`` is who is
authenticated, within ``limits``; ``half_open`` who is not yet; ``endings`` why a connection ends. ``numbering`` and
``repeats`` bring each event once and in order; ``manager`` speaks to other nodes. ``hooks`` are who
else is told, ``agent`` what a browser says of itself.
"""
