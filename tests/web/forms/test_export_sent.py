"""All of one's own, fetched by somebody else: a link by mail, a code by another way, and told to its owner."""

import json
import re
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from practice.notices.letter import Letterhead
from practice.portability.opened import directory, entry
from signaling.exports import EXPORTS, State, Way
from signaling.gate import SIGNALING
from tests.organisations import OPERATOR, PRACTICE
from tests.signaling.conftest import PASSWORD, Server
from tests.signaling.test_second_factor import shown, with_app
from tests.web.forms.conftest import Browser, Seen
from tests.web.forms.taking import password_in
from web.locale import CATALOGUES

t = CATALOGUES["nl"].text
THEIRS = "info@elsewhere.example"


class Sending:
    """Alice, with an app that shows codes, and whoever she has fetch it."""

    def __init__(self, server: Server, secret: str) -> None:
        self.server, self.secret = server, secret
        self.alice, self.stranger = Browser(server, "alice"), Browser(server, "elsewhere")

    async def send(self, **changed: str) -> Seen:
        fields = {"mail": THEIRS, "password": PASSWORD, "code": shown(self.server, self.secret)} | changed
        return await self.alice.send(
            "/account/export/send", urlencode({"form_token": await self.alice.token()} | fields)
        )

    async def link(self) -> str:
        """Of the newest mail to them."""
        head = Letterhead("a@example.org", self.server.origin, lambda: UTC, self.server.store.resets.token)
        waiting = [one for one in await self.server.store.notices.waiting() if one.news.word == "export-link"]
        letter = head.letter(waiting[-1], datetime.now(UTC))[1].replace(b"=\r\n", b"").replace(b"=3D", b"=").decode()
        (found,) = re.findall(r"http://localhost:\d+(/taken/[\w-]+)\s", letter)
        return str(found)


def code_in(page: Seen) -> str:
    (found,) = re.findall(r'data-testid="export-code">(\d{6})<', page.html)
    return str(found)


@pytest.fixture
async def sending(server: Server, alice: Browser) -> Sending:
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    server.store.notices.on = True
    secret, _ = await with_app(server, server.alice)
    return Sending(server, secret)


@pytest.mark.duty("S-46")
async def test_somebody_else_fetches_it_once_by_a_link_and_a_code(sending: Sending) -> None:
    server = sending.server
    await server.appoint(server.alice, 0, "Charlie")
    page = await sending.send()
    assert page.status == 200 and THEIRS in page.html
    told = {one.news.word: one.news.to for one in await server.store.notices.waiting()}
    assert (told["export-link"], told["export-sent"]) == (THEIRS, "alice@example.org")
    link, code = await sending.link(), code_in(page)
    assert code not in str([one.news for one in await server.store.notices.waiting()])
    assert (await sending.stranger.get(link)).status == 200
    opened = await sending.stranger.send(f"{link}/open", f"code={code}")
    password = password_in(opened)
    sent = await sending.stranger.send(f"{link}/fetch", f"code={code}")
    assert (sent.status, sent.headers["Content-Type"]) == (200, "application/zip")
    found = json.loads(entry(sent.body, "account.json", password))
    assert [one["patient"] for one in found["records"]["appointments"]] == ["Charlie"]
    assert not {"trail", "sessions", "receipts"} & found.keys() and b"fhir.json" in directory(sent.body)
    assert (await sending.stranger.send(f"{link}/fetch", f"code={code}")).status == 404
    assert (await sending.stranger.get(link)).status == 404
    assert t("export.state.fetched") in (await sending.alice.get("/account/export")).html
    entries = [(one.act, one.detail) async for one in server.store.audit.entries()]
    assert [detail for act, detail in entries if act == "data-exported"] == ["sent", "fetched"]


async def test_ten_wrong_codes_withdraw_it(sending: Sending) -> None:
    code = code_in(await sending.send())
    link, wrong = await sending.link(), str((int(code) + 1) % 10**6).zfill(6)
    for _ in range(10):
        refused = await sending.stranger.send(f"{link}/open", f"code={wrong}")
        assert (refused.status, t("error.code_refused") in refused.html) == (403, True)
    assert (await sending.stranger.send(f"{link}/open", f"code={code}")).status == 404


async def test_whoever_sent_it_withdraws_it(sending: Sending) -> None:
    code = code_in(await sending.send())
    link = await sending.link()
    body = f"form_token={await sending.alice.token()}&way=other"
    assert (await sending.alice.send("/account/export/withdraw", body)).status == 303
    assert (await sending.stranger.get(link)).status == 404
    assert (await sending.stranger.send(f"{link}/fetch", f"code={code}")).status == 404


@pytest.mark.parametrize("act", ["/account/password", "/account/others", "lifted"])
async def test_what_ends_sign_ins_withdraws_it(sending: Sending, act: str) -> None:
    code, server = code_in(await sending.send()), sending.server
    link = await sending.link()
    await server.sign_in("bob")
    other = Browser(server, "bob")
    assert (await other.send("/account/others", f"form_token={await other.token()}")).status == 303
    assert (await sending.stranger.get(link)).status == 200, "what somebody else does changes nothing"
    if act == "lifted":
        await server.app[SIGNALING].sign_out(server.alice.id)
    else:
        fields = {"old": PASSWORD, "new": "zeven paarse fietsen", "again": "zeven paarse fietsen"}
        body = {"form_token": await sending.alice.token()} | (fields if "password" in act else {})
        assert (await sending.alice.send(act, urlencode(body))).status == 303
    assert (await sending.stranger.get(link)).status == 404
    assert (await sending.stranger.send(f"{link}/fetch", f"code={code}")).status == 404


async def test_signing_out_here_leaves_it(sending: Sending) -> None:
    await sending.send()
    link = await sending.link()
    out = await sending.alice.send("/account/sign-out", f"form_token={await sending.alice.token()}")
    assert (out.status, (await sending.stranger.get(link)).status) == (303, 200)


async def test_one_that_is_withdrawn_while_it_is_fetched_breaks_off(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, code = sending.server, code_in(await sending.send())
    link, exports = await sending.link(), sending.server.app[EXPORTS]
    await server.appoint(server.alice, 0, "Charlie")
    told, done = exports.told, list[int]()

    async def withdrawn_before(account: str, way: Way, token: str, number: int, *state: State) -> bool:
        await exports.withdraw(account, way)
        done.append(number)
        return await told(account, way, token, number, *state)

    monkeypatch.setattr(exports, "told", withdrawn_before)
    with pytest.raises(Exception, match=r"(?i)payload|closed|reset|transfer"):
        await sending.stranger.send(f"{link}/fetch", f"code={code}")
    assert done == [1, 0], "nothing more of it leaves, and that it broke off is the last that is said"
    assert await exports.of(server.alice.id, "other") is None


async def test_nothing_is_sent_without_a_fresh_second_factor(sending: Sending, server: Server) -> None:
    assert (await sending.send(code="000000")).status == 403
    assert (await sending.send(password="something else")).status == 403
    await server.sign_in("bob")
    bob = Browser(server, "bob")
    body = {"form_token": await bob.token(), "mail": THEIRS, "password": PASSWORD}
    refused = await bob.send("/account/export/send", urlencode(body))
    assert t("export.factor") in refused.html
    assert [one for one in await server.store.notices.waiting() if one.news.word.startswith("export")] == []
