"""The papers that a practice keeps: `papers FOLDER`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from operate.commands.arguments import path
from operate.commands.configured import Configured
from vault.errors import StartRefused

if TYPE_CHECKING:
    from pathlib import Path

    from web.papers import Paper


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    writing = commands.add_parser(
        "papers", parents=[common], help="write the papers of a practice, as the settings are, in Markdown"
    )
    writing.add_argument("folder", type=path, metavar="FOLDER", help="a file of each; it is made where there is none")
    writing.add_argument("--language", choices=("nl", "en", "de", "fr"), help="that of the pages if left out")
    writing.set_defaults(operate=write)


async def write(settings: Configured, arguments: argparse.Namespace) -> str:
    """A file for each paper (GDPR art. 28 and 30). What was written before is replaced, each file as a whole."""
    import asyncio

    from practice.outgoing import Door
    from web.locale import CATALOGUES
    from web.papers import Known, papers

    turn = settings.turn
    host = str(turn.address) if turn.address is not None and turn.secrets else None
    known = Known(settings.web, settings.rooms, settings.signaling, Door.of(settings.practice), host)
    made = papers(known, CATALOGUES[arguments.language or settings.web.language].text)
    try:
        await asyncio.to_thread(written, arguments.folder, made)
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise StartRefused(f"The papers could not be written to {arguments.folder}: {reason}.") from None
    return f"Written: {', '.join(f'{one.name}.md' for one in made)}."


def written(folder: Path, made: list[Paper]) -> None:
    """Each under its name. One that could not be written whole is not there, or as it was before."""
    from web.papers import markdown

    folder.mkdir(parents=True, exist_ok=True)
    for one in made:
        part = folder / f".{one.name}.part"
        part.write_text(markdown(one), "utf-8")
        part.replace(folder / f"{one.name}.md")
