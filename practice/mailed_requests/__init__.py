"""What people mail about their data: each mail becomes a request, and is gone where it came within a minute (S-47).

``structure`` is what a mail consists of, by the mail server's word; ``letters`` what is read of one, ``reader``
what follows, and ``filing`` what becomes of it. Attachments are counted, and no byte of one is fetched.
"""
