"""Time-limited TURN credentials, and coturn's configuration.

``credentials`` are what somebody gets, ``coturn`` writes what coturn runs with, of ``settings``; ``probe`` tries TURN
for real, and ``watch`` does so once a minute.
"""
