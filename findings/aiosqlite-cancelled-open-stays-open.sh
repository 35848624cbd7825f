#!/bin/sh
# Who stops waiting while aiosqlite 0.22.1 opens a database leaves it open: the thread of the connection ends, nobody can
# reach the connection any more, and nothing closes it but the garbage collector (with a ResourceWarning from Python 3.13).
#
# What one would think: a cancelled open is undone, as with asyncio's own connections, since the thread is told to stop.
# A cancelled statement on an open connection is harmless; only opening is not. SQLAlchemy's pool opens by the same way.
#
# Needs python3 (3.11 or newer) with venv; installs into a folder of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'aiosqlite==0.22.1'

cat >cancelled.py <<'P'
import asyncio
import sqlite3
import threading

import aiosqlite

closed = []


class Watched(sqlite3.Connection):
    def close(self):
        super().close()
        closed.append(True)


async def main():
    begun, goes_on, made, connect = threading.Event(), threading.Event(), [], sqlite3.connect

    def slowly(*where, **how):
        begun.set()
        goes_on.wait(30)
        made.append(connect(*where, factory=Watched, check_same_thread=False, **how))
        return made[0]

    sqlite3.connect = slowly
    threads = set(threading.enumerate())

    async def opened():
        return await aiosqlite.connect("some.sqlite")

    opening = asyncio.create_task(opened())
    await asyncio.to_thread(begun.wait, 30)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    goes_on.set()
    for thread in set(threading.enumerate()) - threads:
        if "connection_worker" in thread.name:
            await asyncio.to_thread(thread.join, 30)
            print(f"its thread ended: {not thread.is_alive()}")
    print(f"it was opened: {len(made) == 1}, it was closed: {bool(closed)}, it still answers: {made[0].execute('SELECT 1').fetchone() == (1,)}")


asyncio.run(main())
P
env/bin/python cancelled.py | tee seen
cat >expected <<'X'
its thread ended: True
it was opened: True, it was closed: False, it still answers: True
X
diff expected seen
