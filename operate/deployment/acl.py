"""What our programs may do in Redis or Valkey: these commands, on keys and channels that begin with ``sk:``.

Servers have one user, media workers another that reaches heartbeats, calls and their answers, and nothing about rooms.

No scripts, no CONFIG but asking, nothing that lists clients or writes to disk. The tests run a whole consult under
this list and fail on a command that it lacks, and on one that nobody uses.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

USER: Final = "spreekkamer"
COMMANDS: Final = (
    # connections
    *("ping", "config|get", "info", "select"),
    # rooms, seats, limits
    *("get", "set", "mget", "del", "unlink", "exists", "incrby", "expire", "pttl", "getdel", "type", "scan"),
    *("sadd", "srem", "smembers", "watch", "unwatch", "multi", "exec", "discard"),
    # calls to media workers and their answers
    *("rpush", "blpop", "ltrim", "lrem"),
    # messages between nodes
    *("publish", "subscribe", "unsubscribe"),
    # `prove-destroyed` reads every key
    *("lrange", "hgetall", "zrange", "xrange"),
)


MEDIA_USER: Final = "media"
MEDIA_KEYS: Final = ("sk:workers", "sk:worker:*", "sk:media:*")
MEDIA_COMMANDS: Final = (
    *("set", "del", "expire", "sadd", "srem", "rpush", "blpop", "ltrim"),
    # a database other than the first
    "select",
)


def rules(password: str, media_password: str) -> str:
    """The text of an ACL file. It holds hashes, not the passwords."""
    servers = user(USER, password, ("sk:*",), COMMANDS, "&sk:*")
    workers = user(MEDIA_USER, media_password, MEDIA_KEYS, MEDIA_COMMANDS)
    return f"user default off nopass nocommands\n{servers}{workers}"


def user(
    name: str, password: str, keys: Sequence[str], commands: Sequence[str], channels: str = "resetchannels"
) -> str:
    """A line of the file."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    reach = " ".join(f"~{key}" for key in keys)
    allowed = " ".join(f"+{command}" for command in commands)
    return f"user {name} on #{digest} {reach} {channels} nocommands {allowed}\n"
