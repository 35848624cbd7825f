"""Keys: the envelope around everything a person typed, and the store of the wrapped keys.

    root key file ┐
    epoch file    ┴─ HKDF ─ epoch key ─ group key ─ practitioner key ─ data key ─ seals ─ one row

Each wraps the next. Destroying a row is deleting its wrapped data key. What a disk may still hold of deleted wrapped
keys is made useless by the next epoch: new practitioner key, new group key, new epoch key, the old epoch file
overwritten.
"""
