"""What is inside the sealed column of a mail server, and its table."""

from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Index

from practice.mail_servers.model import Access, Encrypted, MailServer
from practice.organisation.records import KEPT
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, number, open_content, seal_content
from vault.records.records import Kind, kept_row, kept_table

mail_servers = kept_table("mail_servers", "host, port, security, user, password, sender, since when")
Index("ix_mail_servers_one", mail_servers.c.owner, unique=True, sqlite_where=KEPT, postgresql_where=KEPT)
"""An organisation sends by one at a time."""

ACCESS = ("host", "port", "security", "user", "password", "sender")
LAYOUT = Layout(frozenset((*ACCESS, "since")))


def place(row_id: str, owner: str) -> Place:
    """Where a mail server's content stands."""
    return Place("mail_servers", "content", row_id, owner)


def seal_mail_server(key: bytes, one: MailServer) -> dict[str, Any]:
    """The row of a mail server."""
    content = {name: getattr(one.access, name) for name in ACCESS} | {"since": one.since.isoformat()}
    return kept_row(one, seal_content(key, LAYOUT, content, place(one.id, one.owner), one.unknown))


def open_mail_server(key: bytes, row: Any) -> MailServer:
    """The mail server in a row. Errors: Unreadable, Newer."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.owner))
    known(content["security"], get_args(Encrypted))
    try:
        since, access = datetime.fromisoformat(content["since"]), Access(**{name: content[name] for name in ACCESS})
        number(access.port)
        return MailServer(row.id, row.owner, access, since, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


MAIL_SERVERS = Kind(
    name="mail_servers",
    table=mail_servers,
    layout=LAYOUT,
    place=place,
    open=open_mail_server,
    seal=seal_mail_server,
    timed=False,
    kept=False,
)
