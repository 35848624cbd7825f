"""Sight of one practitioner's agenda, for an hour, by two people, for where its practitioner cannot be asked.

``looks`` is who looked at one appointment, in words for its patient.
"""
