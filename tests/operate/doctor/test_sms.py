"""What `doctor` says of SMS providers: seen good and seen failing, on a real one."""

from pathlib import Path

import pytest

from operate.doctor.sms import sms
from practice.outgoing import Door
from practice.settings import PracticeSettings, SmsSettings
from tests.servers.sms import SmsServer, running


@pytest.fixture(autouse=True)
def _at_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider of a test is at another port than 443."""
    connect = Door.connect

    async def there(self: Door, purpose: str, host: str, port: int) -> object:
        assert (purpose, port) == ("sms", 443)
        return await connect(self, "sms", host, PORTS.get(host, port))

    monkeypatch.setattr(Door, "connect", there)


PORTS: dict[str, int] = {}


async def said(server: SmsServer, **changes: object) -> tuple[str, str]:
    PORTS["localhost"] = server.port
    (one,) = await sms(server.settings(**{"hosts": ["localhost"], **changes}))
    assert one.check == "sms" and (one.state == "ok" or one.fix)
    return one.state, one.meaning


async def test_a_provider_is_good_and_asked_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        assert (await said(server))[0] == "ok"
        assert server.asked == []
        assert "certificate" in (await said(server, ca_file=None))[1]
    assert "does not answer" in (await said(server))[1]


async def test_one_at_a_local_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = await sms(PracticeSettings(sms=SmsSettings(hosts=["127.0.0.2"])))
    assert one.state == "fail" and "local network" in one.meaning


async def test_none_is_unknown() -> None:
    (one,) = await sms(PracticeSettings())
    assert one.state == "unknown"
