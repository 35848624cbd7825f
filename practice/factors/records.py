"""What is inside the sealed column of an account's second factor, and its table."""

from dataclasses import asdict
from typing import Any, get_args

from practice.factors.model import Device, Factors, Passkey
from vault.errors import Unreadable
from vault.records.content import Layout, known, moment, number, stamp
from vault.records.records import Sealed, kept_table

factors = kept_table("factors", "secret, last step, recovery codes, passkeys")
"""The row of an account has a keyed hash of the account for its id."""

HELD = Sealed(
    "factors", Layout(frozenset(("since", "secret", "step", "codes", "passkeys")), optional=frozenset(("lifted",)))
)


def seal_factors(key: bytes, held: Factors) -> dict[str, Any]:
    """The row of an account's second factor."""
    content = {
        "since": stamp(held.since),
        "lifted": held.lifted or None,
        "secret": held.secret,
        "step": held.step,
        "codes": list(held.codes),
        "passkeys": [asdict(one) | {"created": stamp(one.created)} for one in held.passkeys],
    }
    return HELD.row(key, held, content)


def open_factors(key: bytes, row: Any) -> Factors:
    """What stands in a row. Errors: Unreadable, Newer."""
    content, unknown = HELD.open(key, row)
    try:
        return Factors(
            row.id,
            row.owner,
            moment(content["since"]),
            content["lifted"] is True,
            content["secret"],
            number(content["step"]),
            tuple(content["codes"]),
            tuple(map(_passkey, content["passkeys"])),
            number(row.version),
            unknown,
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        raise Unreadable from None


def _passkey(fields: dict[str, Any]) -> Passkey:
    return Passkey(
        **{**fields, "device": known(fields["device"], get_args(Device)), "created": moment(fields["created"])}
    )


def export_factors(found: Factors) -> dict[str, Any]:
    """What there is; nothing with which anybody could sign in."""
    return {
        "since": found.since.isoformat() if found.since else None,
        "lifted": found.lifted,
        "app": found.secret is not None,
        "codes_left": len(found.codes),
        "passkeys": [{"name": one.name, "created": one.created.isoformat()} for one in found.passkeys],
    }


FACTORS = HELD.kind(factors, open_factors, seal_factors, export=export_factors)
