"""Backups of the data, which hold ciphertext only, and sealed snapshots of the key store, which last 24 hours.

``data`` is the one, ``snapshots`` are the other, ``expiry`` ends them:

    data.write(settings, folder, now) -> Written        # a backup is one SQLite file, whatever the database is
    await data.restore(settings, source, replace=False) -> Restored
    snapshots.take(settings, folder, now) -> Path       # never in the folder of the data's backups
    await snapshots.restore(settings, source, now, backup=None)  # the data's backup, where the database is lost too
    expiry.expire(folder, now) -> int                   # what the sweeper does

A backup without the key store opens nothing, and the key store forgets. So a restored backup has the appointments that
are still alive, and no way back to the others.
"""
