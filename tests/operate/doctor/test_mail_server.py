"""What `doctor` says of the mail server: each step seen good and seen failing, on a real one."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from operate.doctor.finding import Finding
from operate.doctor.mail_server import mail_server
from practice.settings import MailSettings, PracticeSettings
from tests.servers.mail import PASSWORD, SENDER, running


def said(findings: list[Finding]) -> tuple[str, str]:
    (one,) = findings
    assert one.check == "mail-server"
    assert one.state == "ok" or one.fix
    assert PASSWORD not in str(one)
    return one.state, one.meaning


async def test_a_mail_server_by_every_way_is_good_and_gets_no_mail(tmp_path: Path) -> None:
    for how in ("starttls", "tls", "none"):
        async with running(tmp_path, tls=how) as server:
            state, meaning = said(await mail_server(server.settings(how)))
            assert state == "ok", meaning
            assert not server.taken and not server.asked


async def test_none_is_unknown() -> None:
    assert said(await mail_server(PracticeSettings()))[0] == "unknown"


@pytest.mark.parametrize(
    ("serving", "settings", "meaning"),
    [
        ({"tls": "none"}, {"security": "starttls", "user": None}, "no STARTTLS"),
        ({"name": "other.example.org"}, {"host": "127.0.0.1"}, "certificate"),
        ({}, {"ca_file": None}, "certificate"),
        ({"tls": "tls"}, {"security": "tls", "ca_file": None}, "certificate"),
        ({}, {"password": SecretStr("another")}, "sign in"),
        ({"auth": False}, {}, "sign in"),
        ({}, {"user": None}, "sender"),
        ({}, {"security": "tls"}, "certificate"),
    ],
)
async def test_each_fault_is_named(
    tmp_path: Path, serving: dict[str, Any], settings: dict[str, Any], meaning: str
) -> None:
    async with running(tmp_path, **serving) as server:
        if "ca_file" not in settings and server.authority is None:
            settings = {**settings, "ca_file": None}
        assert meaning in said(await mail_server(server.settings(**settings)))[1]


async def test_a_port_without_anybody_and_one_that_is_not_mail(unused_tcp_port: int) -> None:
    nobody = MailSettings(host="localhost", port=unused_tcp_port, sender=SENDER, security="none")
    state, meaning = said(await mail_server(PracticeSettings(mail=nobody)))
    assert state == "fail" and "Nothing answers" in meaning
