"""A patient is told by text message, over REST: which numbers, and what stands beside a field that takes none."""

from datetime import timedelta
from typing import Any

import pytest

from practice.outgoing import Door
from practice.sms_providers.model import Way
from practice.sms_providers.sending import Texter
from signaling.couriers import courier
from signaling.gate import SIGNALING
from signaling.typedefs import COURIER
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.servers.sms import KEY, SmsServer
from tests.signaling.conftest import Server
from tests.signaling.test_inviting import plan, send
from vault.records.scope import Scope

NUMBER = "+31612345678"


@pytest.fixture
async def texting(server: Server, provider: SmsServer) -> Server:
    """As where the operator listed a provider; the organisation has none yet."""
    settings, outbox = provider.settings(), server.store.outbox
    outbox.ways, outbox.texts_to = frozenset({"sms"}), settings.texts_to
    zone, told = server.time.now().tzinfo, server.app[SIGNALING].told
    texter = Texter(settings.sms, Door.of(settings), server.store.sms_providers.of_owner, server.time.now)
    made = courier(server.store, None, server.origin, lambda: zone, told, texter)  # type: ignore[arg-type,return-value]  # its clock has a zone
    server.app._state[COURIER] = made
    await server.sign_in("alice")
    return server


async def has_provider(server: Server, provider: SmsServer) -> None:
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    await server.store.organisation.name_owner(Scope.operator(server.alice.id))
    way, owner = Way("webhook", provider.url(), KEY, "Praktijk"), await scope_of(server.store, server.alice.id)
    await server.store.sms_providers.write(owner, way, 0, port_is_free=True)


async def texts(server: Server) -> Any:
    return (await server.call("GET", "/api/v1/me", who="alice")).body.get("texts", "absent")


async def test_pages_are_told_whether_patients_can_be_texted(texting: Server, provider: SmsServer) -> None:
    assert await texts(texting) is False
    await has_provider(texting, provider)
    assert await texts(texting) is True
    texting.store.outbox.ways = frozenset({"mail"})
    assert await texts(texting) == "absent"


async def test_a_patient_is_told_by_text_message(texting: Server, provider: SmsServer) -> None:
    await has_provider(texting, provider)
    made = await plan(texting, mail=None, phone="06-12345678")
    assert made["phone"] == NUMBER and "mail" not in made
    assert [(one["way"], one["word"], one["state"]) for one in made["told"]] == [("sms", "invitation", "queued")]
    await send(texting)
    path = f"/api/v1/appointments/{made['appointment']}"
    assert [one["state"] for one in (await texting.call("GET", path, who="alice")).body["told"]] == ["sent"]
    said = provider.asked[0].json["data"]
    assert said["to"] == NUMBER and made["link"] in said["text"]
    removed = await texting.call("PATCH", path, {"seen": made["version"], "phone": ""}, who="alice")
    assert "phone" not in removed.body


@pytest.mark.parametrize(
    ("phone", "reason"), [("0900 1234", "paid"), ("020 123 4567", "mobile"), ("+1 202 555 0123", "country")]
)
async def test_any_other_number_is_refused_with_the_reason(
    texting: Server, provider: SmsServer, phone: str, reason: str
) -> None:
    await has_provider(texting, provider)
    day = (texting.time.now() + timedelta(days=8)).date().isoformat()
    for path, more in (("", {}), ("/series", {"until": day})):
        starts_at = texting.time.now().isoformat()
        body = {"patient": "Jan", "starts_at": starts_at, "minutes": 30, "phone": phone, "anyway": True} | more
        refused = await texting.call("POST", f"/api/v1/appointments{path}", body, who="alice")
        error = refused.body["error"]
        assert (refused.status, error["code"], error["field"], error["reason"]) == (400, "invalid", "phone", reason)


async def test_without_a_provider_it_is_said_so(texting: Server) -> None:
    starts_at = texting.time.now().isoformat()
    body = {"patient": "Jan", "starts_at": starts_at, "minutes": 30, "phone": NUMBER, "anyway": True}
    refused = await texting.call("POST", "/api/v1/appointments", body, who="alice")
    assert (refused.body["error"]["field"], refused.body["error"]["reason"]) == ("phone", "provider")
