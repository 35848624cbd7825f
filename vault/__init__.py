"""What is stored, and how it dies. It knows no record by name: whoever opens it says of which kinds there are some.

The way through it, from what others use down to what stands below all:

| place | what is there |
|---|---|
| ``vault.vault`` | ``open_vault``: everything opened, migrated and put together |
| ``vault.records`` | what a kind of record is, what sealed content looks like, whose it is (``Scope``), opening rows |
| ``vault.destruction`` | when something must be gone, and the four steps by which it goes; sweeps, closing an account |
| ``vault.keys`` | the envelope, and the store of wrapped keys |
| ``vault.database`` | connections, tables, migrations, marks and leases |
| ``vault.audit`` | who did what, without saying who anybody is |
| ``vault.backup``, ``vault.proof`` | copies without what was destroyed, and the proof that nothing is left |
| ``vault.keystore`` | what an operator asks of a key store beside its database |
| ``vault.inventory`` | every place where something is kept, why, and how long |
| ``vault.clock`` | time that is believed |
| ``vault.lock``, ``vault.pinned``, ``vault.reserve`` | files: held, seen when they go, room kept to destroy |
| ``vault.settings``, ``vault.errors``, ``vault.faults`` | what is set; codes, and sentences for the operator |

Nothing here imports anything of ours from outside this folder.
"""
