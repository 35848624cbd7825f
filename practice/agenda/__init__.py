"""Appointments: what is planned, whom a link leads to (``visit``), and when it must be gone (``due_times``).

``starts`` remembers when appointments begin, so that a week's list opens no other week's.
"""
