"""Text messages by a real HTTPS server: what is sent in which format, what answers mean, and where nothing goes."""

import asyncio
import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from practice.outgoing import Door
from practice.settings import SmsSettings
from practice.sms_providers.model import Format, SmsProvider, Way
from practice.sms_providers.numbers import Untextable, mobile
from practice.sms_providers.sending import NotTexted, Text, Texter
from tests.servers.sms import KEY, TOKEN, SmsServer, accepts_as_cm, running

NOW = datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)
NUMBER = "+31612345678"


def texter(
    server: SmsServer, url: str = "", form: Format = "webhook", door: Door | None = None, *, authority: bool = True
) -> Texter:
    way = Way(form, url or server.url("/v1.0/message?x=1"), KEY if form == "webhook" else TOKEN, "Praktijk")

    async def of_owner(owner: str) -> SmsProvider | None:
        return SmsProvider("a" * 22, owner, way, NOW, 1) if owner == "us" else None

    settings = server.settings() if authority else server.settings(ca_file=None)
    return Texter(settings.sms, door or server.door(), of_owner, lambda: NOW)


async def send(texter: Texter, to: str = NUMBER) -> bool:
    return await texter.send("us", Text(to, "Uw afspraak: https://consult.example.org/j/é", "reference-1"))


async def refused(texter: Texter) -> tuple[str, int | None, bool]:
    with pytest.raises(NotTexted) as found:
        await send(texter)
    return found.value.step, found.value.code, found.value.final


async def test_a_webhook_is_signed_as_standard_webhooks_says(provider: SmsServer) -> None:
    door = provider.door()
    assert await send(texter(provider, door=door), to="06 12 34 56 78")
    (asked,) = provider.asked
    assert asked.path == "/v1.0/message?x=1" and "Authorization" not in asked.headers
    assert asked.json == {
        "type": "sms.send",
        "timestamp": "2026-05-28T20:26:40+00:00",
        "data": {"to": NUMBER, "from": "Praktijk", "text": "Uw afspraak: https://consult.example.org/j/é"},
    }
    assert asked.headers["webhook-id"] == "reference-1"
    signed = f"reference-1.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    right = hmac.new(b64decode(KEY.removeprefix("whsec_")), signed, sha256).digest()
    assert asked.headers["webhook-signature"] == f"v1,{b64encode(right).decode()}"
    assert asked.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert dict(door.counts) == {("sms", "connected"): 1}


async def test_cm_gets_what_it_documents(provider: SmsServer) -> None:
    provider.answer = accepts_as_cm
    assert await send(texter(provider, form="cm"))
    (asked,) = provider.asked
    assert asked.headers["X-CM-PRODUCTTOKEN"] == TOKEN
    (message,) = asked.json["messages"]["msg"]
    assert message["to"] == [{"number": "0031612345678"}] and message["from"] == "Praktijk"
    assert message["body"] == {"type": "auto", "content": "Uw afspraak: https://consult.example.org/j/é"}
    assert (message["allowedChannels"], message["reference"]) == (["SMS"], "reference-1")


async def test_without_a_provider_nothing_is_sent(provider: SmsServer) -> None:
    assert not await texter(provider).send("others", Text(NUMBER, "x", "r"))
    assert not await texter(provider).can("others") and await texter(provider).can("us")
    assert provider.asked == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, ("sign-in", 401, False)),
        (403, ("sign-in", 403, False)),
        (422, ("refused", 422, True)),
        (400, ("refused", 400, True)),
        (429, ("busy", 429, False)),
        (503, ("busy", 503, False)),
        (302, ("answer", 302, False)),
    ],
)
async def test_each_answer_of_a_webhook_has_one_meaning(
    provider: SmsServer, status: int, said: tuple[str, int, bool]
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": provider.url("/elsewhere")} if status == 302 else {})

    provider.answer = answer
    assert await refused(texter(provider)) == said
    assert [one.path for one in provider.asked] == ["/v1.0/message?x=1"], "a redirect is not followed"


REJECTED = {"to": "0031612345678", "status": "Rejected", "parts": 0, "messageErrorCode": 304}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, {"details": "No account", "errorCode": 101, "messages": []}, ("sign-in", 101, False)),
        (400, {"details": "Created 0", "errorCode": 201, "messages": [REJECTED]}, ("refused", 304, True)),
        (200, {"details": "Created 0", "errorCode": 201, "messages": [REJECTED]}, ("refused", 304, True)),
        (200, {"errorCode": 0}, ("answer", 200, False)),
        (200, [], ("answer", 200, False)),
        (500, {}, ("busy", 500, False)),
    ],
)
async def test_cm_is_believed_about_the_one_message(
    provider: SmsServer, status: int, body: Any, said: tuple[str, int, bool]
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    provider.answer = answer
    assert await refused(texter(provider, form="cm")) == said


async def test_an_answer_without_end_is_cut_off(provider: SmsServer) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(bytes(65_536))
            await asyncio.sleep(0)  # what is written to a connection that is gone waits for nothing
        return response

    provider.answer = endless
    assert await refused(texter(provider)) == ("answer", None, False)


async def test_a_provider_that_is_slow_holds_nobody_up(provider: SmsServer) -> None:
    begun, over = asyncio.Event(), asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        begun.set()
        await over.wait()
        return web.Response()

    provider.answer = never
    settings = provider.door()
    door = Door(settings.hosts, settings.local, settings.sms, seconds=1.0)
    assert await refused(texter(provider, door=door)) == ("answer", None, False)
    assert begun.is_set()
    over.set()


async def test_a_certificate_of_another_name_or_authority_ends_it_unsaid(tmp_path: Path) -> None:
    async with running(tmp_path, name="sms.example.org") as server:
        by_address = server.door(hosts=["127.0.0.1"])
        there = f"https://127.0.0.1:{server.port}/"
        assert await refused(texter(server, there, door=by_address)) == ("certificate", None, False)
        assert await refused(texter(server, authority=False)) == ("certificate", None, False)
        assert server.asked == []


async def test_nothing_goes_where_the_operator_did_not_say(provider: SmsServer, unused_tcp_port: int) -> None:
    for url in ("https://elsewhere.example/", f"https://127.0.0.1:{provider.port}/"):
        assert await refused(texter(provider, url)) == ("forbidden", None, False)
    assert await refused(texter(provider, f"https://localhost:{unused_tcp_port}/")) == ("connect", None, False)
    mail_only = Door(frozenset({"localhost"}), frozenset({"localhost"}))
    assert await refused(texter(provider, door=mail_only)) == ("forbidden", None, False)
    assert provider.asked == []


COUNTRIES = SmsSettings().countries


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("06-12345678", NUMBER),
        ("+31 (0)6 12 34 56 78", NUMBER),
        ("0031612345678", NUMBER),
        ("+49 1511 2345678", "+4915112345678"),
        ("+32 470 12 34 56", "+32470123456"),
        ("+33 6 12 34 56 78", "+33612345678"),
    ],
)
def test_a_mobile_number_is_kept_as_it_is_dialled_from_anywhere(typed: str, number: str) -> None:
    assert mobile(typed, COUNTRIES) == number


@pytest.mark.duty("S-09")
@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "number"),
        ("nobody", "number"),
        ("+3161234567", "number"),
        ("+31612345678 ext. 5", "number"),
        ("+31612345678\nBcc: x", "number"),
        ("1" * 300, "number"),
        ("0900 1234", "paid"),
        ("+31 906 1234567", "paid"),
        ("+49 900 1234567", "paid"),
        ("+44 7400 123456", "country"),
        ("+1 202 555 0123", "country"),
        ("+881 612345678", "country"),
        ("+31 20 123 4567", "mobile"),
        ("+31 800 0100", "mobile"),
    ],
)
async def test_any_other_number_is_refused_for_one_reason(provider: SmsServer, typed: str, reason: str) -> None:
    with pytest.raises(Untextable) as found:
        mobile(typed, COUNTRIES)
    assert (found.value.code, found.value.field, found.value.reason) == ("invalid", "phone", reason)
    with pytest.raises(Untextable):
        await send(texter(provider), to=typed)
    assert provider.asked == []
