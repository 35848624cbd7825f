"""Debian's Dovecot on loopback, as an account without rights, with one mailbox in a folder; for `make prove`."""

import asyncio
import os
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from operate.deployment import openbao
from practice.settings import BounceSettings
from tests.ports import free_port
from tests.servers import imap
from tests.servers.imap import PASSWORD

PROGRAM: Final = "/usr/sbin/dovecot"
NOBODY: Final = 65_534
"""Debian's account `nobody`."""
CONFIGURATION: Final = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/imap.pem
ssl_key = <{folder}/imap.pem
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
mail_location = maildir:{folder}/Maildir
first_valid_uid = 1
maildir_stat_dirs = no
# A wrong password makes nobody wait: a test is right and wrong in one second.
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
passdb {{
  driver = static
  args = password={password_}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}
}}
"""


@dataclass
class Dovecot:
    """``new`` is where mail is put that arrives (maildir)."""

    port: int
    authority: Path
    new: Path
    _count: int = 0

    def settings(self) -> BounceSettings:
        return imap.settings(self.port, self.authority)

    def put(self, raw: bytes) -> None:
        self._count += 1
        path = self.new / f"{self._count:03}.{os.urandom(4).hex()}"
        path.write_bytes(raw)
        os.chown(path, NOBODY, NOBODY)

    @property
    def left(self) -> int:
        return sum(1 for part in ("new", "cur") for _ in (self.new.parent / part).iterdir())


def let_enter(folder: Path) -> None:
    """Accounts without rights get into a folder of a test, which others may not list."""
    above = Path(tempfile.gettempdir())
    for path in (folder, *folder.parents):
        if above in path.parents:
            path.chmod(path.stat().st_mode | 0o011)


@asynccontextmanager
async def dovecot(folder: Path) -> AsyncIterator[Dovecot]:
    """In a folder of a test. Skips the test where it cannot run."""
    if not Path(PROGRAM).exists() or os.geteuid() != 0:
        pytest.skip("apt install dovecot-imapd, as root, who gives up all rights")
    let_enter(folder)
    signed = openbao.certificate("localhost", datetime.now(UTC))
    authority, port = folder / "imap-ca.pem", free_port()
    authority.write_bytes(signed.certificate)
    (folder / "imap.pem").write_bytes(signed.pair)
    for name in ("run", "state", *(f"Maildir/{part}" for part in ("new", "cur", "tmp"))):
        (folder / name).mkdir(parents=True)
    text = CONFIGURATION.format(folder=folder, port=port, password_=PASSWORD)
    (folder / "dovecot.conf").write_text(text)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    process = await asyncio.create_subprocess_exec(
        "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", PROGRAM, "-F", "-c",
        str(folder / "dovecot.conf"),
    )  # fmt: skip
    try:
        await _answers(port, authority)
        yield Dovecot(port, authority, folder / "Maildir" / "new")
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int, authority: Path) -> None:
    context = ssl.create_default_context(cafile=str(authority))
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("localhost", port, ssl=context)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("Dovecot does not answer")
