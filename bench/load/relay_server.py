"""Our relay of whichever tree this is run in, for a generator of another tree.

On standard output the worker's process id, then for each JSON object on a line of standard input (room, person,
offer) an answer.
"""

import asyncio
import json
import sys

from bench.load.targets import own_relay

_LINE_BYTES = 1 << 20


async def main(address: str) -> None:
    reader = asyncio.StreamReader(limit=_LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with own_relay(address) as target:
        print(json.dumps({"pid": target.pid}), flush=True)
        while line := await reader.readline():
            print(json.dumps({"answer": await target.answer(**json.loads(line))}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
