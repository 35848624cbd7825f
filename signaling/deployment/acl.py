"""What our programs may do in Redis or Valkey: these commands, on keys and channels that begin with ``sk:``.

No scripts, no CONFIG but asking, nothing that lists clients or writes to disk. The tests run a whole consult under
this list and fail on a command that it lacks, and on one that nobody uses.
"""

import hashlib
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


def rules(password: str) -> str:
    """The text of an ACL file. It holds a hash, not the password."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    allowed = " ".join(f"+{command}" for command in COMMANDS)
    return f"user default off nopass nocommands\nuser {USER} on #{digest} ~sk:* &sk:* nocommands {allowed}\n"
