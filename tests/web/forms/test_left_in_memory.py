"""What a page showed is not kept by anything once it was sent."""

import gc

from practice.particulars.model import Told
from tests.opening import of
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser

TOWN = "Nergenshuizen"


def kept() -> int:
    """How many are in memory, whether anything refers to them or they wait to be collected."""
    return sum(type(one) is Told and one.city == TOWN for one in gc.get_objects())


async def test_what_a_page_showed_is_gone_when_it_is_sent(server: Server, alice: Browser) -> None:
    await server.store.particulars.tell(of(server.alice.id), Told(city=TOWN), 0)
    gc.disable()
    try:
        assert TOWN in (await alice.get("/account/particulars")).html
        assert kept() == 0
    finally:
        gc.enable()
