"""What `doctor` says of the virus scanner, on a real one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operate.doctor.finding import Finding
from operate.doctor.scanner import scanner
from practice.settings import UploadSettings
from tests.servers import clamd as clamd_servers
from tests.servers.clamd import Clamd


def state(findings: list[Finding]) -> str:
    (one,) = findings
    assert one.check == "scanner"
    assert one.state == "ok" or one.fix
    return one.state


@pytest.mark.duty("S-53")
async def test_it_says_whether_uploads_are_looked_at_and_by_how_old_signatures(clamd: Clamd, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert state(await scanner(UploadSettings(), now)) == "unknown"
    assert state(await scanner(UploadSettings(scanner=tmp_path / "nobody"), now)) == "fail"
    there = UploadSettings(scanner=clamd.socket)
    assert state(await scanner(there, now)) == "ok"
    assert state(await scanner(there, now + timedelta(hours=49))) == "warn"
    with clamd_servers.running(listed=False) as unlisted:
        assert state(await scanner(UploadSettings(scanner=unlisted.socket), now)) == "fail"
