"""Pictures that people upload: an organisation's logo, a photograph of who has an account.

Nothing of an uploaded file is kept. What it says of itself is read first (``formats``), a scanner looks at it
(``scanner``), and a process of its own decodes it and encodes what is seen anew (``encoder``): what is stored and
shown to others is of our making, without what cameras and programs write beside a picture.

``intake`` is the way of one through all of that, ``encoding`` runs the process, ``store`` keeps what it gave.
``masking`` looks where a picture of a paper is black.
"""
