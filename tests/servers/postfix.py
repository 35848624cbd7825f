"""Debian's Postfix on loopback, with a queue of its own: it passes on what we send, and writes what comes back."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.ports import free_port
from tests.servers.dovecot import NOBODY, let_enter
from tests.servers.imap import ADDRESS

PROGRAM: Final = "/usr/sbin/postfix"
MAIN: Final = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
recipient_delimiter = +
virtual_mailbox_domains = example.org
virtual_mailbox_base = {mailbox}
virtual_mailbox_maps = inline:{{ {{ {address} = Maildir/ }} }}
virtual_minimum_uid = 1
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
transport_maps = inline:{{ {{ example.com = smtp:[127.0.0.1]:{next} }} }}
smtp_dns_support_level = disabled
{more}
"""
SERVICES: Final = (
    *("pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr"),
    *("tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite", "bounce unix - - n - 0 bounce"),
    *("defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify"),
    *("flush unix n - n 1000? 0 flush", "proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp"),
    *("error unix - - n - - error", "retry unix - - n - - error", "discard unix - - n - - discard"),
    *("virtual unix - n n - - virtual", "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache"),
    *("showq unix n - n - - showq", "postlog unix-dgram n - n - 1 postlogd"),
)


@asynccontextmanager
async def postfix(folder: Path, mailbox: Path, towards: int, more: str = "") -> AsyncIterator[int]:
    """Its port, in a folder of a test. Mail for example.com goes to port ``towards``; what comes back lies in
    ``Maildir`` of the folder ``mailbox``. Skips the test where it cannot run.
    """
    if not Path(PROGRAM).exists() or os.geteuid() != 0:
        pytest.skip("apt install postfix, as root")
    let_enter(folder)
    port, configuration = free_port(), folder / "etc"
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir(parents=True)
    text = MAIN.format(folder=folder, mailbox=mailbox, address=ADDRESS, nobody=NOBODY, next=towards, more=more)
    (configuration / "main.cf").write_text(text)
    listening = f"127.0.0.1:{port} inet n - n - - smtpd"
    (configuration / "master.cf").write_text("\n".join((listening, *SERVICES)) + "\n")
    await asyncio.to_thread(os.system, f"chown postfix {folder}/data")
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "-c", str(configuration), "start-fg", stdout=(folder / "postfix.log").open("wb"), stderr=-2
    )
    try:
        await _answers(port)
        yield port
    finally:
        stopping = await asyncio.create_subprocess_exec(PROGRAM, "-c", str(configuration), "stop", stderr=-3)
        await stopping.wait()
        await process.wait()


async def _answers(port: int) -> None:
    for _ in range(400):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            await reader.readline()
            writer.close()
            return
    raise AssertionError("Postfix does not answer")
