"""What a client can reach through our TURN server beside our own relay."""

import asyncio

from tests.ports import LOOPBACK, free_port
from tests.prove.figures import Figure, Size, counted
from tests.turn import server, special


def prove(size: Size) -> list[Figure]:
    """A real turnserver with the configuration that we ship, on loopback."""
    return asyncio.run(campaign(size))


async def campaign(size: Size) -> list[Figure]:
    peers = special.peers()
    chosen = peers if size.full else size.random.sample(peers, 100)
    async with server.running(server.settings(free_port()), size.folder) as coturn:
        found = await server.reached(coturn.settings, chosen)
        ours = await server.reached(coturn.settings, [LOOPBACK])
    if len(ours) != len(("permission", "channel")):
        raise RuntimeError("not even our own relay can be reached")
    what = "TURN peers reachable among the special-purpose ranges, mapped and disguised ones too"
    return [counted(what, len(found), len(chosen), "addresses, permission and channel each")]
