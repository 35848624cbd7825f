"""The practitioner's desk and the patients' links, by REST."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[2]
MAIL, PASSWORD = "alice@example.org", "correct horse battery staple"


@dataclass
class Planned:
    """An appointment, and what stands behind the ``#`` of its patient's link."""

    id: str
    link: str


class Clerk:
    """The practitioner's REST session, through the balancer."""

    def __init__(
        self, origin: str, api: str, url: str | None = None, seconds: float = 5, local: str | None = None
    ) -> None:
        """``local`` is the address that it comes from: a server counts who signs in by address."""
        self._base = (url or origin) + api
        self._session = aiohttp.ClientSession(
            headers={"Origin": origin},
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            connector=aiohttp.TCPConnector(force_close=True, local_addr=(local, 0) if local else None),
            timeout=aiohttp.ClientTimeout(total=seconds),
        )

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON."""
        async with self._session.request(method, self._base + path, json=body) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else {}

    async def sign_in(self, mail: str = MAIL) -> None:
        status, said = await self.call("POST", "/sign-in", {"mail": mail, "password": PASSWORD})
        if status != 200:
            raise RuntimeError(f"sign-in was refused: {said}")

    async def ticket(self) -> str:
        status, said = await self.call("POST", "/desk/ticket", {})
        if status != 200:
            raise RuntimeError(f"no ticket: {said}")
        return str(said["access_token"])

    async def join(self, link: str) -> str:
        status, said = await self.call("POST", "/join", {"link": link})
        if status != 200:
            raise RuntimeError(f"the link does not open: {said}")
        return str(said["access_token"])

    async def plan(self, patient: str) -> str | None:
        """A new appointment's id if that was acknowledged."""
        body = {"patient": patient, "starts_at": datetime.now(UTC).isoformat(timespec="seconds"), "minutes": 30}
        body["anyway"] = True
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            status, said = await self.call("POST", "/appointments", body)
            return str(said["appointment"]) if status == 201 else None
        return None

    async def close(self) -> None:
        await self._session.close()
