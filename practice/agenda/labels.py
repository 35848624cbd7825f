"""What somebody who works for a practitioner sees of a patient: the label, its initials, or a pseudonym."""

from base64 import b32encode
from dataclasses import replace
from hashlib import sha256
from typing import Final

from practice.agenda.model import Appointment
from vault.records.scope import Scope

MOST: Final = 4
"""Initials of a label: more would tell two people of one name apart."""

NOTHING: Final = "*"
"""For a label in which no word begins with a letter or a digit."""


def seen(one: Appointment, scope: Scope) -> Appointment:
    """The appointment as this scope has it: the label itself never leaves storage for who may not see it."""
    if scope.role == "assistant":
        one = replace(one, answers=())  # they are for who treats
    match scope.label:
        case "whole":
            return one
        case "initials":
            guests = tuple(replace(guest, name=initials(guest.name), contact=None) for guest in one.guests)
            return replace(one, patient=initials(one.patient), contact=None, guests=guests)
        case _:
            guests = tuple(replace(guest, name=pseudonym(guest.id), contact=None) for guest in one.guests)
            return replace(one, patient=pseudonym(one.id), contact=None, guests=guests)


def initials(label: str) -> str:
    """The first letter or digit of each word: ``J. J.`` for ``Jan Jansen``."""
    firsts = (next((sign for sign in word if sign.isalnum()), "") for word in label.split())
    return " ".join([f"{sign.upper()}." for sign in firsts if sign][:MOST]) or NOTHING


def pseudonym(appointment_id: str) -> str:
    """Six signs that follow from the id and from nothing that was typed: ``K7Q-D2M``."""
    signs = b32encode(sha256(appointment_id.encode()).digest()).decode()
    return f"{signs[:3]}-{signs[3:6]}"
