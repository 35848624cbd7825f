"""Counting tries in Redis, for all nodes together; a limit ends by itself when its window does (S-26)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from math import ceil
from typing import TYPE_CHECKING, Final

from redis.exceptions import WatchError

from practice.mailboxes import canonical
from rooms.live import begin
from signaling.addresses import pseudonym
from signaling.derived import derive
from signaling.protocol.errors import ProtocolError, UserError

if TYPE_CHECKING:
    from redis.asyncio import Redis


ATTEMPTS: Final = 20


@dataclass(frozen=True)
class Limit:
    """At most ``tries`` in ``seconds`` by one ``what``; ``counts`` says in a sentence what is counted, of whom."""

    what: str
    tries: int
    counts: str
    seconds: int = 900


@dataclass(frozen=True)
class Pace:
    """At most ``burst`` at once by one ``what``, then one in ``seconds``; what turns out to be right is given back."""

    what: str
    burst: int
    counts: str
    seconds: int = 60


SIGN_IN_NETWORK = Pace("sign-in-network", 50, "Wrong passwords and passkeys from one network.", seconds=18)
SIGN_IN_PAIR = Pace("sign-in-pair", 10, "Wrong passwords for one account from one network.")
SIGN_IN_ACCOUNT = Pace("sign-in-account", 19, "Wrong passwords for one account from everywhere together.", seconds=45)
"""99 in an hour, however many networks somebody has."""

SIGN_IN_WRONG = Pace("sign-in-wrong", 1, "Whether one network was wrong about one account.", seconds=900)
SIGN_IN_DEVICE = Pace("sign-in-device", 10, "Wrong passwords for one account in a browser that signed in to it before.")
"""Nothing that strangers do counts there."""

FACTOR_PAIR = Pace("factor-pair", 5, "Wrong second factors for one account from one network.", seconds=180)
FACTOR_ACCOUNT = Pace("factor-account", 10, "Wrong second factors for one account from everywhere.", seconds=90)
"""960 in a day, of a million codes of which three are good: who has the password finds one in a year."""

FACTOR_DEVICE = Pace(
    "factor-device", 5, "Wrong second factors for one account in a browser that signed in to it before.", seconds=180
)
CONFIRM = Pace("confirm", 10, "Wrong passwords for one account by who is signed in to it, in one session.")
REQUEST_ANSWERS = Pace(
    "request-answers", 1, "Answers by themselves to what one address mails about its data.", seconds=86_400
)
REQUEST_ANSWERS_ALL = Pace(
    "request-answers-all",
    30,
    "The same to all addresses together: of each mail anybody may be said to be the sender.",
    seconds=30,
)
IMPORTS = Pace("imports", 1, "How often one account takes the same archive back.", seconds=86_400)
PACES = (
    *(SIGN_IN_NETWORK, SIGN_IN_PAIR, SIGN_IN_ACCOUNT, SIGN_IN_DEVICE),
    *(FACTOR_PAIR, FACTOR_ACCOUNT, FACTOR_DEVICE, CONFIRM),
    *(REQUEST_ANSWERS, REQUEST_ANSWERS_ALL),
    IMPORTS,
)

OF_ACCOUNTS = (SIGN_IN_ACCOUNT, SIGN_IN_PAIR, SIGN_IN_WRONG, SIGN_IN_DEVICE, FACTOR_PAIR, FACTOR_ACCOUNT, FACTOR_DEVICE)
"""Whose first value is the account."""

JOIN_ADDRESS = Limit("join-address", 60, "Links that open nothing, from one address; a right link always opens.")
"""A whole practice may sit behind one address, and a right link is never kept out by others."""

FEED_NETWORK = Limit("feed-network", 60, "Addresses of calendar feeds that are none, from one network.")
SUPPORT_CODES = Limit("support-codes", 10, "Support codes of one practitioner.")
REFRESH_FAMILY = Limit("refresh-family", 60, "Refreshes of one sign-in of an app.")
KEY_RESTARTS = Limit("key-restart", 20, "Key handshakes that one seat of a consult begins again.", seconds=60)
"""Twice what a client asks for that finishes none of them."""

FORGOTTEN_NETWORK = Limit("forgotten-network", 20, "Links to a new password that one network asks for.")
FORGOTTEN_ADDRESS = Limit(
    "forgotten-address", 5, "Links to a new password that are mailed to one address; more are asked for in vain.", 3600
)
RESET_NETWORK = Limit("reset-network", 60, "Links of mails about an account that are none, from one network.")
MAIL_CHANGES = Limit("mail-change", 5, "Changes of the mail address that one account asks for.", 3600)
INVITING_ACCOUNT = Limit("inviting-account", 60, "Invitations that one account sends.")
INVITED_ADDRESS = Limit("invited-address", 5, "Invitations that are mailed to one address.", 3600)
TOLD_AGAIN = Limit("told-again", 5, "How often the patient of one appointment is told of it again.", 86_400)
LINK_CODES = Limit("link-codes", 8, "How often a code for the link of one appointment is sent.", 3600)
LINK_CODES_DAY = Limit("link-codes-day", 12, "The same in a day.", 86_400)
LINK_CODES_NETWORK = Limit("link-codes-network", 4, "How often one network has it sent.", 3600)
LINK_CODES_NETWORK_DAY = Limit("link-codes-network-day", 6, "The same in a day.", 86_400)
LINK_CODE_TRIES_NETWORK = Limit(
    "link-code-tries-network", 10, "Codes that one network types for the link of one appointment.", 600
)
LINK_CODE_TRIES = Limit("link-code-tries", 20, "Codes that all networks type for one that was sent.", 3600)
EXPORT_TRIES = Limit("export-tries", 10, "Codes that are typed for one file that goes to somebody else.", 86_400)
EXPORTS_SENT = Limit("exports-sent", 5, "Files that one account has fetched by somebody else.", 86_400)
TAKING_NETWORK = Limit("taking-network", 60, "Links to such files that are none, from one network.")
MAIL_TESTS = Limit("mail-tests", 10, "Test mails that one account sends.", 3600)
SMS_TESTS = Limit("sms-tests", 5, "Test text messages that one account sends.", 3600)
INVITED_NETWORK = Limit("invited-network", 60, "Links of invitations that are none, from one network.")
REGISTERING_NETWORK = Limit("registering-network", 20, "Links to register by that one network asks for.")
REGISTERING_ADDRESS = Limit(
    "registering-address", 5, "Mails about registering to one address; more are asked for in vain.", 3600
)
REGISTERED_NETWORK = Limit("registered-network", 60, "Links to register by that are none, from one network.")
BOOKING_NETWORK = Limit("booking-network", 240, "Pages for booking that one network opens.")
HOLDING_NETWORK = Limit("holding-network", 20, "Times that one network asks to hold.", 3600)
BOOKED_MAIL = Limit("booked-mail", 5, "Digits for booking that are mailed to one address.", 3600)
WALKING_IN_NETWORK = Limit("walking-in-network", 10, "Numbers of an open hour that one network asks for.", 3600)
REQUESTING_NETWORK = Limit("requesting-network", 20, "Requests by right that one network files, not signed in.", 3600)
REQUESTING_PERSON = Limit(
    "requesting-person", 20, "Requests by right that one account, or one patient's link, files.", 86_400
)
REQUESTED_ADDRESS = Limit(
    "requested-address", 5, "Links to requests that are mailed to one address; more is filed and mailed in vain.", 3600
)
REQUEST_LINKS = Limit("request-links", 60, "Links to requests that are none, from one network.")
PAPERS_SENT = Limit("papers-sent", 10, "Masked pictures of a paper that are sent for one request.", 86_400)
PAPERS_NETWORK = Limit("papers-network", 20, "The same that one network sends.", 3600)
NEW_DEVICE = Limit("new-device", 1, "Mails about a new device, of one account and one network.", seconds=86_400)
"""Who deletes cookies, and what signs in anew each time, is told of once a day; a stranger is elsewhere."""

LIMITS = (
    JOIN_ADDRESS,
    SUPPORT_CODES,
    REFRESH_FAMILY,
    KEY_RESTARTS,
    NEW_DEVICE,
    FORGOTTEN_NETWORK,
    FORGOTTEN_ADDRESS,
    RESET_NETWORK,
    MAIL_CHANGES,
    INVITING_ACCOUNT,
    INVITED_ADDRESS,
    INVITED_NETWORK,
    MAIL_TESTS,
    REGISTERING_NETWORK,
    REGISTERING_ADDRESS,
    REGISTERED_NETWORK,
    BOOKING_NETWORK,
    HOLDING_NETWORK,
    BOOKED_MAIL,
    WALKING_IN_NETWORK,
    SMS_TESTS,
    TOLD_AGAIN,
    LINK_CODES,
    LINK_CODES_DAY,
    LINK_CODES_NETWORK,
    LINK_CODES_NETWORK_DAY,
    LINK_CODE_TRIES_NETWORK,
    LINK_CODE_TRIES,
    EXPORT_TRIES,
    EXPORTS_SENT,
    TAKING_NETWORK,
    REQUESTING_NETWORK,
    REQUESTING_PERSON,
    REQUESTED_ADDRESS,
    REQUEST_LINKS,
    PAPERS_SENT,
    PAPERS_NETWORK,
)


class Limiter:
    """Keys hold no address and no mail, only a pseudonym of the day."""

    def __init__(self, redis: "Redis", secret: bytes, now: Callable[[], datetime]) -> None:
        self._redis = redis
        self._key = derive(secret, "pseudonyms")
        self._now = now

    async def count(self, limit: Limit, value: object) -> None:
        """Count one try; raise ``rate_limited`` if there was none left."""
        key = self._name(limit, value)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key, 0, ex=limit.seconds, nx=True)
            pipe.incr(key)
            pipe.pttl(key)
            _, used, left = await pipe.execute()
        if used > limit.tries:
            raise ProtocolError("rate_limited", retry_after=max(1, ceil(left / 1000)))

    def pseudonym_of(self, limit: Limit, value: object) -> str:
        """By which somebody is told from others today, as in the keys."""
        return pseudonym(self._key, self._now(), limit.what, value)

    async def any_counted(self, limit: Limit, value: object) -> bool:
        """Whether one was counted in this window."""
        return bool(await self._redis.exists(self._name(limit, value)))

    async def take(self, pace: Pace, *values: object, spare: int = 0) -> int:
        """Take one, if that leaves ``spare``, and say how many were under way; else ``rate_limited``.

        Redis knows when all of them will be there again (the theoretical arrival time of GCRA), in milliseconds.
        """
        key, step = self._name_of(pace, values), pace.seconds * 1000
        async with self._redis.pipeline(transaction=True) as pipe:
            for _ in range(ATTEMPTS):
                await pipe.watch(key)
                now = int(self._now().timestamp() * 1000)
                full = max(int(await pipe.get(key) or 0), now)
                used = (full - now) / step
                if used + 1 + spare > pace.burst:
                    wait = (used + 1 + spare - pace.burst) * pace.seconds
                    raise ProtocolError("rate_limited", retry_after=ceil(wait))
                begin(pipe)
                pipe.set(key, full + step, px=full + step - now)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return ceil(used)
        raise UserError("try_again")

    async def any_taken(self, pace: Pace, *values: object) -> bool:
        """Whether not all are there."""
        return bool(await self._redis.exists(self._name_of(pace, values)))

    async def give_back(self, pace: Pace, *values: object) -> None:
        """It was the right person, or nobody looked."""
        key, step = self._name_of(pace, values), pace.seconds * 1000
        async with self._redis.pipeline(transaction=True) as pipe:
            for _ in range(ATTEMPTS):
                await pipe.watch(key)
                left, full = await pipe.pttl(key), int(await pipe.get(key) or 0)
                begin(pipe)
                if left > step:
                    pipe.set(key, full - step, px=left - step)
                else:
                    pipe.delete(key)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return

    async def lift(self, mail: str) -> None:
        """Nothing that was tried for this account so far counts any more (S-26)."""
        for pace in OF_ACCOUNTS:
            async for key in self._redis.scan_iter(self._name_of(pace, (canonical(mail),)) + "*"):
                await self._redis.delete(key)

    def _name_of(self, pace: Pace, values: Iterable[object]) -> str:
        """One part for each value; an account has the same one each day, or it had a second burst at midnight."""
        today = self._now()
        days = ((value, today if isinstance(value, IPv4Network | IPv6Network) else None) for value in values)
        parts = (pseudonym(self._key, day, pace.what, value) for value, day in days)
        return ":".join((f"sk:limit:{pace.what}", *parts))

    def _name(self, limit: Limit, value: object) -> str:
        return f"sk:limit:{limit.what}:{pseudonym(self._key, self._now(), limit.what, value)}"
