import pytest

from tests.organisations import OPERATOR, PRACTICE
from tests.signaling.conftest import Server, opening  # noqa: F401 -- a fixture
from tests.web.forms.conftest import *  # noqa: F403 -- pytest finds fixtures by their names here
from tests.web.forms.conftest import Browser
from vault.records.scope import Scope


@pytest.fixture
async def owner(server: Server) -> Browser:
    """Alice, who owns the organisation that Bob is a practitioner of."""
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    await server.store.organisation.name_owner(Scope.operator(server.alice.id))
    assert (await server.sign_in("alice")).status == 200
    return Browser(server, "alice")
