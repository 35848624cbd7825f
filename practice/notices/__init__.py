"""Mail to who has an account, or is to have one, about it: in their language, neutral, never a word about a patient.

The way of one: ``store`` writes it down with its cause, ``postman`` takes it up in its turn, ``letter`` makes a
letter of it, on the practice's ``paper``, ``smtp`` hands that over.
"""
