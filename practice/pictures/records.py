"""What is inside the sealed column of a picture, and its table."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, get_args

from practice.pictures.model import Picture, Use
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, number, open_content, seal_content
from vault.records.records import Kind, kept_row, kept_table

pictures = kept_table("pictures", "use, data, shown")

LAYOUT = Layout(frozenset(("use", "data", "shown")))


def place(row_id: str, owner: str) -> Place:
    """Where a picture's content stands."""
    return Place("pictures", "content", row_id, owner)


def seal_picture(key: bytes, one: Picture) -> dict[str, Any]:
    """The row of a picture."""
    content = {"use": one.use, "data": b64encode(one.data).decode(), "shown": one.shown}
    return kept_row(one, seal_content(key, LAYOUT, content, place(one.id, one.owner), one.unknown))


def open_picture(key: bytes, row: Any) -> Picture:
    """The picture in a row. Errors: Unreadable, Newer (also for a use that only a newer program knows)."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.owner))
    use = known(content["use"], get_args(Use))
    try:
        data = b64decode(content["data"], validate=True)
        return Picture(row.id, row.owner, use, data, content["shown"] is True, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


def export_picture(one: Picture) -> Mapping[str, Any]:
    """All of it: a logo is a PNG, a photograph a JPEG."""
    return {"use": one.use, "data": b64encode(one.data).decode(), "shown": one.shown}


PICTURES = Kind(
    name="pictures",
    table=pictures,
    layout=LAYOUT,
    place=place,
    open=open_picture,
    seal=seal_picture,
    timed=False,
    kept=False,
    export=export_picture,
)
