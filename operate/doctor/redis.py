"""Redis or Valkey: keeps nothing, forgets nothing early, and lets our user do no more than it needs."""

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from operate.doctor.finding import Finding, bad, good, unknown, warn
from signaling.forwarded import DOUBT
from signaling.redis import connect, refuse_persistence
from signaling.redis_faults import why
from vault.errors import StartRefused

ACL_FIX = "Use the ACL file that `spreekkamer setup` writes (secrets/valkey.acl)."
TRIALS = {"EVAL": ("return 1", "0"), "KEYS": ("nothing",), "CLIENT LIST": ()}
"""Harmless, but of kinds that a server of ours never needs."""


async def redis(url: str | None) -> list[Finding]:
    """Look at the Redis of these settings."""
    if url is None:
        return [good("redis", "The server starts one of its own, which keeps nothing.")]
    client = connect(url)
    try:
        await client.ping()
        return [await _persistence(client), await _eviction(client), await _permissions(client), await _proxy(client)]
    except (RedisError, OSError) as error:
        meaning, _, fix = why(error).partition("; ")
        return [bad("redis", f"{meaning.removesuffix('.')}.", f"{fix[:1].upper()}{fix[1:]}")]
    finally:
        await client.aclose()


async def _persistence(client: Redis) -> Finding:
    try:
        await refuse_persistence(client)
    except StartRefused as reason:
        return bad("redis", str(reason), "Start it with --save '' --appendonly no, and remove the files it wrote.")
    return good("redis", "Redis answers and writes nothing to disk.")


async def _eviction(client: Redis) -> Finding:
    try:
        policy = (await client.config_get("maxmemory-policy")).get("maxmemory-policy")
    except ResponseError:
        return unknown("redis-eviction", "Redis does not say what it does when it is full.", ACL_FIX)
    if policy in ("noeviction", b"noeviction"):
        return good("redis-eviction", "When Redis is full it refuses, and throws no room away.")
    fix = "Set maxmemory-policy to noeviction."
    return bad("redis-eviction", "When Redis is full it throws running consults away.", fix)


async def _proxy(client: Redis) -> Finding:
    why = await client.get(DOUBT)
    if why is None:
        return good("proxy", "In the last hour every proxy said for whom it spoke.")
    if why in ("unreadable", b"unreadable"):
        meaning = "A proxy does not say whom it speaks for: all its clients share the limits of one."
        return bad("proxy", meaning, "Have it set X-Forwarded-For, or Forwarded, to the client's address.")
    meaning = "Requests came with X-Forwarded-For from an address that is not in signaling.trusted_proxies."
    return warn("proxy", meaning, "If that was your proxy, add its network; else somebody tried to look like one.")


async def _permissions(client: Redis) -> Finding:
    allowed = []
    for command, arguments in TRIALS.items():
        try:
            await client.execute_command(command, *arguments)  # type: ignore[no-untyped-call]  # the library has no types
        except NoPermissionError:
            continue
        except ResponseError:
            pass
        allowed.append(command)
    if not allowed:
        return good("redis-acl", "Our user may run our commands and no others.")
    meaning = f"Our user may also run {', '.join(allowed)}: who takes over a server owns Redis too."
    return warn("redis-acl", meaning, ACL_FIX)
