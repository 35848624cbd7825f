"""What is inside the sealed column of a picture, and its table."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, get_args

from practice.pictures.model import Picture, Use
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_table

pictures = kept_table("pictures", "use, data, shown")

PICTURE = Sealed("pictures", Layout(frozenset(("use", "data", "shown"))))


def seal_picture(key: bytes, one: Picture) -> dict[str, Any]:
    """The row of a picture."""
    content = {"use": one.use, "data": b64encode(one.data).decode(), "shown": one.shown}
    return PICTURE.row(key, one, content)


def open_picture(key: bytes, row: Any) -> Picture:
    """The picture in a row. Errors: Unreadable, Newer (also for a use that only a newer program knows)."""
    content, unknown = PICTURE.open(key, row)
    use = known(content["use"], get_args(Use))
    try:
        data = b64decode(content["data"], validate=True)
        return Picture(row.id, row.owner, use, data, content["shown"] is True, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


def export_picture(one: Picture) -> Mapping[str, Any]:
    """All of it: a logo is a PNG, a photograph a JPEG."""
    return {"use": one.use, "data": b64encode(one.data).decode(), "shown": one.shown}


PICTURES = PICTURE.kind(pictures, open_picture, seal_picture, export=export_picture)
