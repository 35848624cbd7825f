"""Keys: the envelope around everything a person typed, and the store of the wrapped keys.

    root key file ┐
    epoch file    ┴─ HKDF ─ epoch key ─ wraps ─ practitioner key ─ wraps ─ data key ─ seals ─ one row

Destroying a row is deleting its wrapped data key. What a disk may still hold of deleted wrapped keys is made useless
by the next epoch: new practitioner key, new epoch key, the old epoch file overwritten.
"""
