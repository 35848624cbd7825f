"""Looks a deployment over, part by part: what is wrong, what that means, what to do. It changes nothing.

A module for each part; each gives ``finding``s. `operate/commands/doctor.py` runs and prints them.

From the outside in: ``names``, ``announced`` and ``resolving`` (the DNS), ``ports``, ``tls``, ``relaying`` (TURN),
``mail``, ``mail_server`` and ``mailboxes``, ``sms`` and ``push`` (by ``services``), ``redis``, ``storage``,
``scanner``, ``clock``, ``pump`` (what forwards packets); and what people wait for: ``requests``.
"""
