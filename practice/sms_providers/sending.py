"""A text message to one telephone, by the provider of an organisation, and why that did not go.

Two formats. **Our own webhook**: JSON, signed by HMAC-SHA-256 as *Standard Webhooks* says, described in
``docs/sms.md``. **CM.com**: the *Business Messaging API* (developers.cm.com/messaging/docs, *Integration* and
*Responses & Errors - JSON*).
What a provider says in words is read by nobody: there may be a number in it.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Literal

from practice.https import Answer, Asking, Garbled, Untrusted, target
from practice.outgoing import Door, Forbidden, Unanswered
from practice.settings import SmsSettings
from practice.sms_providers.model import SmsProvider, Way
from practice.sms_providers.numbers import mobile
from practice.sms_providers.store import key_of
from vault.clock import Now

Step = Literal["forbidden", "connect", "certificate", "answer", "sign-in", "busy", "refused"]

Begin = Callable[[], AbstractAsyncContextManager[object]]

MOST_SIGNS: Final = 1000
JSON: Final = {"Content-Type": "application/json"}
PARTS: Final = 8
"""Of 153 signs each; CM.com sends no more."""

NO_ACCOUNT: Final = 101
"""CM.com's errorCode for a product token that is none of theirs."""


@dataclass(frozen=True, slots=True)
class Text:
    """``to`` is E.164; ``reference`` is the same at each try of the same message."""

    to: str = field(repr=False)
    body: str = field(repr=False)
    reference: str


class NotTexted(Exception):  # noqa: N818 -- a state, not a mistake
    """At which step it ended, and with which status or code if there was one. ``final``: no other try goes better."""

    def __init__(self, step: Step, code: int | None = None) -> None:
        super().__init__(step)
        self.step = step
        self.code = code

    @property
    def final(self) -> bool:
        """Whether the provider will never take this message."""
        return self.step == "refused"


@dataclass(frozen=True)
class ProviderCall:
    """What is sent."""

    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Texter:
    """By which provider each text message goes: that of whose organisation has one, else none."""

    def __init__(
        self, settings: SmsSettings, door: Door, of_owner: Callable[[str], Awaitable[SmsProvider | None]], now: Now
    ) -> None:
        self.settings = settings
        self._asking = Asking(door, settings.ca_file)
        self._of_owner = of_owner
        self._now = now

    async def can(self, owner: str) -> bool:
        """Whether this account, or organisation, has a provider."""
        return await self._of_owner(owner) is not None

    async def send(self, owner: str, text: Text, begin: Begin = nullcontext) -> bool:
        """It is the provider's now; False where there is none. ``begin`` is entered at the last moment, when all but
        the message itself is done. Errors: NotTexted, Untextable, DomainError, those of ``begin``.
        """
        number = mobile(text.to, self.settings.countries)
        found = await self._of_owner(owner)
        if found is None:
            return False
        where = target(found.way.url)
        request = self._request(found.way, Text(number, text.body[:MOST_SIGNS], text.reference))
        with _steps():
            async with self._asking.line("sms", where.host, where.port) as line:
                async with begin():
                    await line.ask(where.path, request.headers, request.body)
                answer = await line.answer()
        judge = _webhook_answer if found.way.format == "webhook" else _cm_answer
        judge(answer)
        return True

    def _request(self, way: Way, text: Text) -> ProviderCall:
        if way.format == "cm":
            return _cm_request(way, text)
        return _webhook_request(way, text, self._now().timestamp(), self._now().isoformat(timespec="seconds"))


@contextmanager
def _steps() -> Iterator[None]:
    """Whatever of the way goes wrong inside is NotTexted at its step."""
    try:
        yield
    except Forbidden:
        raise NotTexted("forbidden") from None
    except Unanswered:
        raise NotTexted("connect") from None
    except Untrusted:
        raise NotTexted("certificate") from None
    except Garbled:
        raise NotTexted("answer") from None


def _webhook_request(way: Way, text: Text, at: float, moment: str) -> ProviderCall:
    said = {"type": "sms.send", "timestamp": moment, "data": {"to": text.to, "from": way.sender, "text": text.body}}
    body, stamp = json.dumps(said, ensure_ascii=False).encode(), str(int(at))
    signed = hmac.new(key_of(way), f"{text.reference}.{stamp}.".encode() + body, sha256).digest()
    signature = f"v1,{b64encode(signed).decode()}"
    return ProviderCall(
        JSON | {"webhook-id": text.reference, "webhook-timestamp": stamp, "webhook-signature": signature}, body
    )  # fmt: skip


def _cm_request(way: Way, text: Text) -> ProviderCall:
    message = {
        "from": way.sender,
        "to": [{"number": f"00{text.to.removeprefix('+')}"}],
        "body": {"type": "auto", "content": text.body},
        "allowedChannels": ["SMS"],
        "maximumNumberOfMessageParts": PARTS,
        "reference": text.reference,
    }
    body = json.dumps({"messages": {"msg": [message]}}, ensure_ascii=False).encode()
    return ProviderCall(JSON | {"X-CM-PRODUCTTOKEN": way.secret}, body)


def _webhook_answer(answer: Answer) -> None:
    """Errors: NotTexted."""
    if answer.status // 100 != 2:
        raise NotTexted(_by_status(answer.status), answer.status)


def _cm_answer(answer: Answer) -> None:
    """Errors: NotTexted. That a status is 200 says nothing of the one message."""
    if answer.status not in (200, 400):
        raise NotTexted(_by_status(answer.status), answer.status)
    try:
        said: Any = json.loads(answer.body)
        messages, whole = said["messages"], said["errorCode"]
        one = messages[0] if messages else None
        accepted, code = one is not None and one["status"] == "Accepted", one["messageErrorCode"] if one else whole
    except (ValueError, TypeError, LookupError, RecursionError):
        raise NotTexted("answer", answer.status) from None
    if not accepted:
        number = code if type(code) is int else None
        raise NotTexted("sign-in" if one is None and whole == NO_ACCOUNT else "refused", number)


def _by_status(status: int) -> Step:
    if status in (401, 403):
        return "sign-in"
    if status in (408, 425, 429) or status >= 500:
        return "busy"
    return "refused" if status // 100 == 4 else "answer"
