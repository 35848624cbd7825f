"""Keys: the envelope around everything a person typed, and the store of the wrapped keys.

    root key file ┐
    epoch file    ┴─ HKDF ─ epoch key ─ group key ─ practitioner key ─ data key ─ seals ─ one row

Each wraps the next. Destroying a row is deleting its wrapped data key. What a disk may still hold of deleted wrapped
keys is made useless by the next epoch: new practitioner key, new group key, new epoch key, the old epoch file
overwritten.

The way through it, downward:

| place | what is there |
|---|---|
| ``store`` | the key store as all others see it: asynchronous, locked when it cannot be trusted |
| ``wrapped``, ``opening``, ``unseen``, ``ledger``, ``receipt`` | wrapped keys, those without a row, what is gone |
| ``epochs``, ``tree``, ``layout`` | the key above all, what hangs under it, the step from a flat store |
| ``envelope``, ``places`` | ciphertexts bound to their place |
| ``backends``, ``sqlite``, ``postgres``, ``connection``, ``schema``, ``many`` | where it is kept |
| ``epoch_secrets``, ``files``, ``transit``, ``roots`` | where the secrets of epochs and the root key are |
| ``inspection`` | whether all of it is as it must be |
"""
