"""Mail that comes back: what a mail server took and could not deliver.

``tokens`` are in the address that it comes back to, ``mailbox`` is where it arrives, ``reports`` says what it is, and
``reader`` what follows. Nothing of it is kept, nor answered.
"""
