"""Other programs that read what we send, for tests only: ``calendars`` reads an entry by four of them.

``install`` installs those of npm, by the lock file.
"""
