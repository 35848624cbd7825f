"""What `doctor` says of push services: seen good and seen failing, on a real one."""

from pathlib import Path

import pytest

from operate.doctor.push import push
from practice.outgoing import Door, Purpose
from practice.settings import PracticeSettings, PushSettings
from tests.servers.push import pushing


async def said(settings: PracticeSettings) -> tuple[str, str]:
    (one,) = await push(settings)
    assert one.check == "push" and (one.state == "ok" or one.fix)
    return one.state, one.meaning


async def test_a_service_is_good_and_asked_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pushing(tmp_path) as service:
        connect = Door.connect

        async def there(self: Door, purpose: Purpose, host: str, port: int) -> object:
            assert (purpose, port) == ("push", 443)
            return await connect(self, purpose, host, service.server.port)

        monkeypatch.setattr(Door, "connect", there)
        settings = service.settings(["localhost", "*.notify.windows.com"])
        assert (await said(settings))[0] == "ok"
        assert service.server.asked == []
    assert "push service localhost does not answer" in (await said(settings))[1]


async def test_one_at_a_local_address_is_named() -> None:
    state, meaning = await said(PracticeSettings(push=PushSettings(hosts=["127.0.0.2"])))
    assert state == "fail" and "local network" in meaning


@pytest.mark.parametrize("hosts", [[], ["*.notify.windows.com"]])
async def test_what_nobody_can_know_is_unknown(hosts: list[str]) -> None:
    assert (await said(PracticeSettings(push=PushSettings(hosts=hosts))))[0] == "unknown"
