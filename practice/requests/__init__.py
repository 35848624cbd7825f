"""What people ask for by right: filed by whoever asks, counted by a clock, decided by a person, told to a proven
address.

``store`` has what whoever asks does, ``deciding`` what the data protection officer does, ``clock`` the four weeks,
``purposes`` what somebody may object to, ``backlog`` how many wait.
"""
