"""By whom an organisation sends text messages: to which ``numbers``, in whose format, with which secret. ``sending``
hands one over, ``alphabet`` says how many parts it takes.
"""
