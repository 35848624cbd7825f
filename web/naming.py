"""What the pages say of the practice: what its organisation says of itself, else what the operator's settings say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import tzinfo
from time import monotonic
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web

from practice.organisation.model import Colours, Organisation, Profile
from practice.pictures.model import TYPES, Picture
from signaling.scopes import of_server
from signaling.tasks import stop
from signaling.typedefs import STORE
from vault.errors import DomainError
from web.assets import Asset
from web.colours import BRANDING, sheet
from web.settings import WebSettings

LOOK_SECONDS: Final = 30.0
"""So long a server may go on saying what was corrected by way of another."""

MOST_FILES: Final = 8

NOWHERE: Final = ("not_found", "gone")


class Practice:
    """``profile`` is what every page says. ``on_change`` is called when it is another.

    ``style`` and ``logo`` are the addresses of the style sheet with the practice's colours and of its logo, if it has
    any, and ``files`` what is at such addresses, by path: also those of a while ago, which a page that was just made
    may name.
    """

    def __init__(self, settings: WebSettings, on_change: Callable[[], None]) -> None:
        said = settings.operator
        self._settings = Profile(said.name, said.address, said.phone, settings.language, settings.timezone)
        self._on_change = on_change
        self.profile = self._settings
        self.style: str | None = None
        self.logo: str | None = None
        self.files: dict[str, Asset] = {}
        self._looked = 0.0
        self._zone: tzinfo = ZoneInfo(self.profile.zone)

    def zone(self) -> tzinfo:
        """Where it is."""
        return self._zone

    def of(self, found: Organisation) -> Profile:
        """What an organisation says: as long as nobody in it has said anything, what the settings say now."""
        return self._settings if found.version == 1 and self._settings.name else found.profile

    async def say(self, profile: Profile) -> None:
        """From now on. One without a name says nothing; a zone that this machine does not know is the settings'."""
        profile = profile if profile.name else self._settings
        if profile != self.profile:
            zone = await asyncio.to_thread(known, profile.zone)  # a file
            self.profile, self._zone = profile, zone or ZoneInfo(self._settings.zone)
            self._dress(profile.colours)
            self._on_change()

    def _dress(self, colours: Colours | None) -> None:
        made = sheet(colours) if colours else None
        self.style = made.address if made else None
        if made:
            self._keep(made.address, made.asset)

    def _hang(self, logo: Picture | None) -> None:
        before, self.logo = self.logo, None
        if logo is not None and logo.there:
            self.logo = f"{BRANDING}/{logo.mark}.png"
            self._keep(self.logo, Asset.of(logo.data, TYPES[logo.use]))
        if self.logo != before:
            self._on_change()

    def _keep(self, address: str, asset: Asset) -> None:
        """The newest last, and a few."""
        self.files.pop(address, None)
        self.files[address] = asset
        for old in list(self.files)[:-MOST_FILES]:
            del self.files[old]

    async def look_once_more(self, app: web.Application, seconds: float) -> None:
        """Now, unless that was done in the last ``seconds``."""
        if monotonic() - self._looked >= seconds:
            self._looked = monotonic()
            await self.look(app)

    async def look(self, app: web.Application) -> None:
        """As it is stored now: the settings' where there is no organisation, or no more; as it was where nobody can
        say.
        """
        try:
            profile = self.of(await app[STORE].organisation.get(of_server()))
            self._hang(await app[STORE].pictures.logo(of_server()))
        except DomainError as error:
            if error.code not in NOWHERE:
                return
            profile = self._settings
            self._hang(None)
        await self.say(profile)


def known(zone: str) -> ZoneInfo | None:
    """By its name; None for one that this machine does not know."""
    try:
        return ZoneInfo(zone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None


PRACTICE: web.AppKey[Practice] = web.AppKey("PRACTICE", Practice)


async def looking(app: web.Application) -> AsyncIterator[None]:
    """Before the first page, and for as long as the server runs."""
    await app[PRACTICE].look(app)
    task = asyncio.create_task(_look_again(app))
    yield
    await stop([task])


async def _look_again(app: web.Application) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await app[PRACTICE].look(app)
