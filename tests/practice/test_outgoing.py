"""The one door out: which hosts, ports and addresses it goes to, and which it never does."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from practice.outgoing import MOST_ADDRESSES, Door, Forbidden, Unanswered, is_special
from practice.settings import MailSettings, PracticeSettings, UploadSettings
from tests.turn.special import peers

HOST = "mail.example.org"


def door(*local: str, seconds: float = 2.0) -> Door:
    return Door(frozenset({HOST, *local}), frozenset(local), seconds=seconds)


def resolves(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    async def found(_host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as made:
        yield made


async def test_it_goes_where_the_operator_said_and_counts(listener: socket.socket) -> None:
    opened = door("localhost")
    connection = await opened.connect("mail", "localhost", listener.getsockname()[1])
    with closing(connection):
        assert connection.getpeername() == listener.getsockname()
    assert dict(opened.counts) == {("mail", "connected"): 1}


@pytest.mark.parametrize(
    ("host", "port"), [("evil.example", 587), ("127.0.0.1", 587), (HOST, 80), (HOST, 22), (HOST, 6379), ("", 587)]
)
async def test_no_other_host_and_no_other_port(host: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, "8.8.8.8")
    opened = door()
    with pytest.raises(Forbidden):
        await opened.connect("mail", host, port)
    assert dict(opened.counts) == {("mail", "refused"): 1}


async def test_the_ports_of_each_purpose_are_open_and_no_other_is(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, "8.8.8.8")
    tried: list[int] = []
    opened = Door(frozenset({HOST}), frozenset(), frozenset({HOST}))

    async def dial(_connection: socket.socket, address: tuple[str, int]) -> None:
        tried.append(address[1])
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", dial)
    for purpose, ports in {"mail": [25, 465, 587, 2525], "sms": [443]}.items():
        tried.clear()
        for port in range(1, 3000):
            with pytest.raises((Forbidden, Unanswered)):
                await opened.connect(purpose, HOST, port)  # type: ignore[arg-type]  # the two that there are
        assert tried == ports, purpose


async def test_a_name_that_leads_to_what_stands_beside_us_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every special-purpose address, and every disguise of one."""
    for address in set(peers()) - {"64:ff9b::8000:0"}:  # the middle of that range is a host of the world
        resolves(monkeypatch, address)
        with pytest.raises(Forbidden, match="local network"):
            await door().connect("mail", HOST, 587)
    resolves(monkeypatch, "127.0.0.1", "::1", "10.1.2.3")
    with pytest.raises(Forbidden, match="local network"):
        await door().connect("mail", HOST, 587)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2a00:1450:4001::1", "2606:4700::1111", "64:ff9b::808:808"])
def test_the_world_is_not_special(address: str) -> None:
    assert not is_special(ip_address(address))


async def test_special_ones_among_others_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, "10.0.0.1", "8.8.8.8", "127.0.0.1", *(f"8.8.4.{number}" for number in range(9)))
    opened, tried = door(), []

    async def dial(_connection: socket.socket, address: tuple[str, int]) -> None:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", dial)
    with pytest.raises(Unanswered):
        await opened.connect("mail", HOST, 587)
    assert tried == ["8.8.8.8", "8.8.4.0", "8.8.4.1", "8.8.4.2"]
    assert len(tried) == MOST_ADDRESSES
    assert dict(opened.counts) == {("mail", "away"): 1}


async def test_who_answers_is_looked_at_again(monkeypatch: pytest.MonkeyPatch, listener: socket.socket) -> None:
    """Whatever led there: what answers is none of the addresses that were looked at."""
    resolves(monkeypatch, "8.8.8.8")
    loop, port = asyncio.get_running_loop(), listener.getsockname()[1]
    connect = loop.sock_connect

    async def elsewhere(connection: socket.socket, _: Any) -> None:
        await connect(connection, ("127.0.0.1", port))

    monkeypatch.setattr(loop, "sock_connect", elsewhere)
    with pytest.raises(Forbidden, match="somebody else"):
        await door().connect("mail", HOST, 587)


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    opened = door(seconds=0.05)
    with pytest.raises(Unanswered):
        await opened.connect("mail", HOST, 587)
    assert dict(opened.counts) == {("mail", "away"): 1}


async def test_a_host_that_resolves_to_nothing_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(Unanswered):
        await door().connect("mail", HOST, 587)


def test_the_settings_say_where_it_goes() -> None:
    assert Door.of(PracticeSettings()).hosts == frozenset()
    made = Door.of(PracticeSettings(mail=MailSettings(host="Mail.Bücher.example.", sender="a@example.org")))
    assert (set(made.hosts), set(made.local)) == ({"mail.xn--bcher-kva.example"}, set())
    local = PracticeSettings(
        mail=MailSettings(host="10.0.0.5", sender="a@example.org", port=1025), local_hosts=["10.0.0.5"]
    )
    assert Door.of(local).local == {"10.0.0.5"}
    assert Door.of(PracticeSettings(mail=MailSettings(host="localhost", sender="a@example.org"))).local == {"localhost"}


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ({"host": HOST}, "practice.mail.sender"),
        ({"host": HOST, "sender": "a@example.org", "user": "x"}, "practice.mail.password"),
        ({"host": HOST, "sender": "a@example.org", "security": "none"}, "in clear"),
        ({"host": HOST, "sender": "a@example.org", "port": 80}, "practice.mail.port"),
        ({"host": HOST, "sender": "Practice <a@example.org>"}, "an e-mail address alone"),
        ({"host": HOST, "sender": "a@example.org\nBcc: b@example.org"}, "an e-mail address alone"),
        ({"host": "mail.example.org:587", "sender": "a@example.org"}, "a host name or an address"),
    ],
)
def test_settings_that_do_not_fit_say_so(mail: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PracticeSettings(mail=MailSettings(**mail))


def test_port_and_encryption_follow_from_each_other() -> None:
    def made(**said: Any) -> tuple[int, str]:
        mail = MailSettings(host=HOST, sender="a@example.org", **said)
        return mail.at, mail.spoken

    assert made() == (587, "starttls")
    assert made(port=465) == (465, "tls")
    assert made(port=25) == (25, "starttls")
    assert made(security="tls") == (587, "tls")


@pytest.mark.parametrize(
    ("model", "field", "good", "bad"),
    [
        (MailSettings, "port", [1, 65_535], [0, 65_536]),
        (MailSettings, "user", ["x" * 255], ["x" * 256]),
        (UploadSettings, "most_bytes", [10_000, 10_000_000], [9_999, 10_000_001]),
    ],
)
def test_settings_have_bounds_and_no_other_fields(
    model: type[BaseModel], field: str, good: list[Any], bad: list[Any]
) -> None:
    for value in good:
        made = model.model_validate({field: value, "password": "x"} if field == "user" else {field: value})
        assert getattr(made, field) == value
        with pytest.raises(ValidationError):
            setattr(made, field, value)
    for value in bad:
        with pytest.raises(ValidationError):
            model.model_validate({field: value})
    for one in (model, PracticeSettings):
        with pytest.raises(ValidationError, match="Extra inputs"):
            one.model_validate({"unknown": 1})
    assert UploadSettings().most_bytes == 1_000_000
