"""What is inside the sealed column of a mail server, and its table."""

from datetime import datetime
from typing import Any, get_args

from practice.mail_servers.model import Access, Encrypted, MailServer
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_once, kept_table

mail_servers = kept_table("mail_servers", "host, port, security, user, password, sender, since when")
kept_once("ix_mail_servers_one", mail_servers.c.owner)
"""An organisation sends by one at a time."""

ACCESS = ("host", "port", "security", "user", "password", "sender")
MAIL_SERVER = Sealed("mail_servers", Layout(frozenset((*ACCESS, "since"))))


def seal_mail_server(key: bytes, one: MailServer) -> dict[str, Any]:
    """The row of a mail server."""
    content = {name: getattr(one.access, name) for name in ACCESS} | {"since": one.since.isoformat()}
    return MAIL_SERVER.row(key, one, content)


def open_mail_server(key: bytes, row: Any) -> MailServer:
    """The mail server in a row. Errors: Unreadable, Newer."""
    content, unknown = MAIL_SERVER.open(key, row)
    known(content["security"], get_args(Encrypted))
    try:
        since, access = datetime.fromisoformat(content["since"]), Access(**{name: content[name] for name in ACCESS})
        number(access.port)
        return MailServer(row.id, row.owner, access, since, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


MAIL_SERVERS = MAIL_SERVER.kind(mail_servers, open_mail_server, seal_mail_server)
