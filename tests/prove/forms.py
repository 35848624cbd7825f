"""What an owner types at the pages that are forms, at a browser without scripts; all of it is taken back at the end."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp
import pyotp

HIDDEN = r'name="{}" value="([^"]+)"'
SHOWN = re.compile(r"<code(?: [^>]*)?>([^<]+)</code>")


class Pages:
    """Of somebody who is signed in at ``session``."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def get(self, path: str) -> str:
        async with self._session.get(self._address + path) as answer:
            assert answer.status == 200, (path, answer.status)
            return await answer.text()

    async def hidden(self, path: str, name: str) -> str:
        """The last hidden field of this name in a page."""
        found: list[str] = re.findall(HIDDEN.format(name), await self.get(path))
        return found[-1]

    async def send(self, page: str, form: str, *kept: str, **said: str) -> list[str]:
        """A form of a page with its hidden fields ``kept``; what is shown once in answer, if anything is."""
        data = {name: await self.hidden(page, name) for name in ("form_token", *kept)} | said
        async with self._session.post(self._address + form, data=data, allow_redirects=False) as answer:
            text = await answer.text()
            assert answer.status in (200, 303), (form, answer.status)
            assert answer.status == 303 or "form_token" not in text, (form, "came back")
            return SHOWN.findall(text)


async def typed(pages: Pages, canaries: Mapping[str, str], turn: int) -> dict[str, str | bytes]:
    """Particulars, bank account, second factor, the practice, a department, an invitation; what must not be found."""
    password = canaries["password"]
    about = dict.fromkeys(("gender", "born", "street", "postal_code", "country", "phone"), "")
    about |= {"city": canaries["city"], "note": canaries["city"]}
    await pages.send("/account/particulars", "/account/particulars/tell", "version", **about)
    bank = {"iban": canaries["iban"], "password": password}
    await pages.send("/account/bank", "/account/bank/change", "version", **bank)
    (whole,) = await pages.send("/account/bank", "/account/bank/read", password=password)
    assert whole.replace(" ", "") == canaries["iban"]
    (secret,) = SHOWN.findall(await pages.get("/account/security/app"))
    code = pyotp.TOTP(secret.replace(" ", "")).at(datetime.now(UTC))
    codes = await pages.send("/account/security/app", "/account/security/app/set", code=code, password=password)
    await pages.send("/account/security", "/account/security/app/remove", password=password)
    said = {"organisation": canaries["organisation"], "address": canaries["city"], "phone": ""}
    said |= {"language": "nl", "zone": "Europe/Paris"}
    await pages.send("/practice/organisation", "/practice/organisation/change", "version", **said)
    await pages.send("/practice/departments", "/practice/departments/make", name=canaries["department"])
    # One address is written to a few times an hour and no more.
    asked = {"mail": f"{turn}-{canaries['invited']}", "roles": "assistant", "language": "nl"}
    (link,) = await pages.send("/practice/people", "/practice/invitations/invite", **asked)
    token = link.rpartition("/")[2]
    assert canaries["organisation"] in await pages.get(f"/invited/{token}")
    return {
        f"secret of the app {turn}": secret.replace(" ", ""),
        f"recovery code {turn}": codes[0],
        f"invitation {turn}": token,
    }


async def taken_back(pages: Pages) -> None:
    """All that can be."""
    await pages.send("/account/particulars", "/account/particulars/remove")
    await pages.send("/account/bank", "/account/bank/remove")
    await pages.send("/practice/departments", "/practice/departments/close", "department")
    await pages.send("/practice/people", "/practice/invitations/withdraw", "invitation")
