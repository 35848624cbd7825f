"""Names that are written from right to left: each page sets them apart, so that nothing beside them is turned round."""

import html
import re

import pytest

from practice.organisation.model import Profile
from practice.particulars.model import Told
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from vault.records.scope import Scope
from web import routes

ALICE = "د. أليس (القمر)"
HOUSE = "عيادة القمر 12"
STREET = "شارع القمر 2"
APART = re.compile(
    r"<bdi>[^<]*</bdi>|\u2068[^\u2069]*\u2069|<option[^>]*>[^<]*</option>"
    r'|<input [^>]*dir="auto"[^>]*>|<input type="hidden"[^>]*>|<textarea [^>]*dir="auto"[^>]*>[^<]*</textarea>'
    r'| data-[a-z]+="[^"]*"'
)
"""Places with a direction of their own (UAX 9, isolates; HTML, ``dir``)."""


@pytest.fixture
async def there(server: Server) -> Browser:
    """Alice, who owns an organisation, all with Arabic names."""
    house = Profile(HOUSE, STREET, "", "nl", PRACTICE.zone)
    await server.store.organisation.establish(OPERATOR, house)
    await server.store.organisation.name_owner(Scope.operator(server.alice.id))
    await server.store.practitioners.rename(of(server.alice.id), ALICE, "nl", server.alice.version)
    await server.store.particulars.tell(of(server.alice.id), Told(street=STREET, note=f"{STREET}\n2"), 0)
    await server.sign_in("alice")
    return Browser(server, "alice")


def mixed(page: Seen) -> list[str]:
    """Where one of the names stands among other text."""
    rest = APART.sub("", html.unescape(page.html))
    return [rest[max(0, found.start() - 60) : found.end() + 20] for found in re.finditer("[\u0600-\u06ff]+", rest)]


async def test_no_page_mixes_a_name_with_what_stands_beside_it(server: Server, there: Browser) -> None:
    seen, found = 0, dict[str, list[str]]()
    for page in routes.PAGES:
        if not page.public:
            shown = await there.get(page.path.replace("{account}", server.alice.id))
            found |= {page.path: mixed(shown)} if mixed(shown) else {}
            seen += ALICE in html.unescape(shown.html)
    assert found == {}
    assert seen >= 5, "and where it is shown, it is"


async def test_what_was_typed_comes_back_as_it_is_written(there: Browser) -> None:
    page = await there.get("/account")
    assert (page.field("display_name")["value"], page.field("display_name")["dir"]) == (ALICE, "auto")
    page = await there.get("/account/particulars")
    assert (page.field("street")["value"], page.field("street")["dir"], page.field("note")["dir"]) == (
        *(STREET, "auto"),
        "auto",
    )


def test_a_name_among_other_text_is_found() -> None:
    page = Seen(200, {}, f'<p>Dag {ALICE}, tot 12 uur</p><p><bdi>{HOUSE}</bdi></p><input dir="ltr" value="{STREET}">')
    assert len(mixed(page)) == 5
