"""Circulars: what an organisation writes to people with an account in it, and who wants which.

A **newsletter** goes to who asked for it and confirmed that (``subscriptions``), each ``letter`` by the ``press``; a
**service notice** goes to every account, as a notice and in its inbox (``signaling.service_notices``). ``store``
keeps both.
"""
