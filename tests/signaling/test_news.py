"""Mail about signing in: to its owner, about what is new, once."""

import pytest

from practice.notices.model import Notice
from practice.outgoing import Door
from signaling.app import post
from signaling.mailing import mailers, postman
from signaling.typedefs import DOOR, POSTMAN
from tests.servers.mail import MailServer
from tests.signaling.conftest import PASSWORD, Server

ALICE = {"mail": "alice@example.org", "password": PASSWORD}


@pytest.fixture
async def sending(server: Server) -> Server:
    """As with a mail server."""
    server.store.notices.on = True
    return server


async def written(server: Server) -> list[Notice]:
    return await server.store.notices.waiting()


async def test_who_signs_in_on_a_new_device_is_told_and_on_a_known_one_not(sending: Server) -> None:
    await sending.sign_in("alice")
    (notice,) = await written(sending)
    assert (notice.owner, notice.news.word, notice.news.to) == (sending.alice.id, "new-device", "alice@example.org")
    assert notice.news.language == "nl"
    await sending.call("POST", "/api/v1/sign-out", {}, who="alice")
    await sending.sign_in("alice")
    await sending.sign_in("alice")
    assert len(await written(sending)) == 1


async def test_a_browser_without_cookies_is_told_of_once_a_day(sending: Server) -> None:
    for _ in range(3):
        assert (await sending.call("POST", "/api/v1/sign-in", ALICE, who="another")).status == 200
        sending.jars.clear()
    await sending.sign_in("bob")
    assert [notice.owner for notice in await written(sending)] == [sending.alice.id, sending.bob.id]


async def test_a_stranger_elsewhere_is_told_of_whoever_signed_in_before(
    sending: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sending.sign_in("alice")
    monkeypatch.setattr("signaling.news.client_network", lambda _: "another network")
    await sending.call("POST", "/api/v1/sign-in", ALICE, who="a stranger")
    assert len(await written(sending)) == 2


async def test_an_app_is_told_of_like_a_browser(sending: Server) -> None:
    for _ in range(2):
        assert (await sending.call("POST", "/api/v1/tokens", ALICE)).status == 200
    assert [notice.news.word for notice in await written(sending)] == ["new-device"]


async def test_a_wrong_password_tells_nobody(sending: Server) -> None:
    assert (await sending.call("POST", "/api/v1/sign-in", {**ALICE, "password": "another"})).status == 403
    assert await written(sending) == []


async def test_a_sign_in_that_cannot_be_told_does_not_begin(sending: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both or neither: the session is written in the mail's transaction."""
    await sending.sign_in("alice")
    monkeypatch.setattr("signaling.news.client_network", lambda _: "another network")
    monkeypatch.setattr("practice.notices.store.new_id", lambda: sending.alice.id)
    answer = await sending.call("POST", "/api/v1/sign-in", ALICE, who="a stranger")
    assert answer.status >= 400
    assert (await sending.call("GET", "/api/v1/me", who="a stranger")).status == 401
    assert len(await written(sending)) == 1


async def test_without_a_mail_server_nobody_is_told(server: Server) -> None:
    await server.sign_in("alice")
    assert await written(server) == []


async def test_the_server_sends_it_and_counts(sending: Server, mails: MailServer) -> None:
    app, settings = sending.app, mails.settings()
    door = Door.of(settings)
    by = mailers(sending.store, settings, door)
    sender = postman(sending.store, by, sending.origin, lambda: sending.time.now().tzinfo)  # type: ignore[arg-type,return-value]  # its clock has a zone
    state = {**app._state, DOOR: door, POSTMAN: sender}
    app._state.update(state)
    sending_ = post(app)
    await anext(sending_)
    await sending.sign_in("alice")
    await mails.arrived.wait()
    (mail,) = mails.taken
    assert mail.recipient == "alice@example.org" and "localhost" in mail.text
    with pytest.raises(StopAsyncIteration):
        await anext(sending_)
    numbers = (await sending.call("GET", "/metrics")).body
    assert 'spreekkamer_outgoing{code="connected",kind="mail"} 1.0' in numbers
    assert 'spreekkamer_mail{kind="sent"} 1.0' in numbers
