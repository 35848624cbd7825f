"""The application for machines: REST, Socket.IO, sign-in, placement of rooms on media workers, health, logs.

| place | what is there |
|---|---|
| ``app``, ``routes``, ``gate`` | the application put together; every REST address; the Socket.IO side |
| ``protocol``, ``schema`` | the one registry of what crosses the wire, and the descriptions made from it |
| ``rest`` | REST handlers, a module for each context |
| ``sockets`` | a connection of a client: what may come, what is sent, how it ends |
| ``handlers``, ``consults`` | what a client event does; the live consults as this node sees them |
| ``placement``, ``presence``, ``drain`` | rooms on media workers; nodes that come and go |
| ``sessions``, ``tickets``, ``refresh``, ``passwords``, ``admission``, ``scopes`` | who somebody is, and for how long |
| ``health``, ``metrics``, ``logs`` | what an operator sees |
| ``redis``, ``listener``, ``connection`` | what all of it stands on |
"""
