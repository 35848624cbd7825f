"""Where each kind of wrapped key stands, which is what it is bound to."""

from vault.keys.envelope import Place

NOBODY = "nobody"  # a real row, so that an unknown id costs what a known one costs
SERVICES = ("mail", "receipt")


def data_place(row_id: str, owner: str) -> Place:
    """Where a wrapped data key stands."""
    return Place("data_keys", "wrapped", row_id, owner)


def practitioner_place(row_id: str) -> Place:
    """Where a wrapped practitioner key stands."""
    return Place("practitioner_keys", "wrapped", row_id, row_id)


def group_place(group: str) -> Place:
    """Where a wrapped group key stands."""
    return Place("group_keys", "wrapped", group, "keystore")


def service_place(name: str) -> Place:
    """Where a wrapped key of the server itself stands."""
    return Place("service_keys", "wrapped", name, "keystore")
