"""Taking along all of one's own, as a browser does it."""

import re
from urllib.parse import quote

from practice.portability.opened import entry
from tests.signaling.conftest import PASSWORD
from tests.web.forms.conftest import Browser, Seen


async def made_ready(browser: Browser, password: str = PASSWORD) -> Seen:
    """The page that shows the archive's password."""
    return await browser.send("/account/export", f"form_token={await browser.token()}&password={quote(password)}")


def password_in(page: Seen) -> str:
    (found,) = re.findall(r'data-testid="export-password">([a-z2-7-]{29})<', page.html)
    return str(found)


async def fetched(browser: Browser, page: Seen) -> Seen:
    """The archive."""
    hidden = "&".join(f"{name}={page.hidden(name)}" for name in ("form_token", "token"))
    return await browser.send("/account/export/fetch", hidden)


async def account_of(browser: Browser) -> bytes:
    """``account.json``."""
    page = await made_ready(browser)
    return entry((await fetched(browser, page)).body, "account.json", password_in(page))
