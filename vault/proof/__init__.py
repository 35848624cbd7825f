"""Showing that an appointment is destroyed: looking for it by its receipt wherever something could be left.

A receipt is a keyed hash of the id, so whatever could be an id is hashed and compared: in rows, in whole files with
their free pages and journals, in Redis, in logs. Where a copy of the row still is (an older backup, PostgreSQL's dead
rows), its ciphertext is tried with every key that exists.

    await prove(settings, receipt, redis=client, folders=[Folder("logs", path), …]) -> Proof

``proving`` goes through the places, ``search`` finds an id in bytes of any kind, ``ciphertexts`` tries keys,
``report`` says what was found where.
"""

from vault.proof.proving import Folder, prove
from vault.proof.report import Looked, Proof

__all__ = ["Folder", "Looked", "Proof", "prove"]
