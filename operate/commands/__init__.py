"""What an operator does from the command line beside a running server: a module for each group of commands.

``arguments`` are what they have in common, ``configured`` and ``storage`` what they open. Then one for each:
``audit``, ``backup``, ``check``, ``db``, ``dkim``, ``doctor``, ``first_link``, ``inventory``, ``keys``,
``legal``, ``operators``, ``papers``, ``practitioner``, ``proof``, ``retention``, ``setup``, ``support``, ``trail``.
"""

from __future__ import annotations

import argparse


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Add every group. Each command's ``operate`` takes the settings and the arguments and returns what to print."""
    from operate.commands import (
        audit,
        backup,
        check,
        db,
        dkim,
        doctor,
        first_link,
        inventory,
        keys,
        legal,
        operators,
        papers,
        practitioner,
        proof,
        retention,
        setup,
        support,
    )

    for group in (
        setup,
        dkim,
        db,
        doctor,
        first_link,
        practitioner,
        retention,
        keys,
        backup,
        proof,
        audit,
        inventory,
        papers,
        operators,
        legal,
        support,
        check,
    ):
        group.attach(commands, common)
