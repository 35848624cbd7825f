"""What is stored: `inventory`."""

from __future__ import annotations

import argparse
import json

from operate.commands.configured import Configured

HEAD = ("place", "name", "category", "purpose", "basis", "retention", "form", "encrypted")


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    printing = commands.add_parser("inventory", parents=[common], help="print all that is stored, and for how long")
    printing.add_argument("--json", action="store_true", help="for machines")
    printing.set_defaults(operate=show)


async def show(settings: Configured, arguments: argparse.Namespace) -> str:
    """The data inventory: a row for each column, key, file and log field."""
    from vault.inventory import inventory

    rows = [
        (place, name, one.category, one.purpose, one.basis, one.retention, one.form, "yes" if one.encrypted else "no")
        for one in inventory().entry
        for place, name in one.names()
    ]
    if arguments.json:
        return json.dumps([dict(zip(HEAD, row, strict=True)) for row in rows], indent=1)
    widths = [max(len(row[column]) for row in [HEAD, *rows]) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [HEAD, *rows]]
    return "\n".join(line.rstrip() for line in lines)
