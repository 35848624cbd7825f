"""Other programs that read what we send, for tests only: ``calendars`` reads an entry by four of them, ``letters``
judges signed mail by three.

``install`` installs those of npm, by the lock file.
"""
