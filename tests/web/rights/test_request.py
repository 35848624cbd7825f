"""A request by whoever has a link and typed its code: the practice's, proven, and answered behind a link of its own."""

import re
from urllib.parse import urlencode

from practice.requests.records import REQUESTS
from signaling.limiter import REQUESTING_PERSON
from tests.organisations import OPERATOR, PRACTICE
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server
from tests.web.rights.conftest import TO, Planned


async def test_a_patient_asks_behind_the_code_and_proves_nothing_more(
    sending: Server, mails: MailServer, planned: Planned
) -> None:
    await sending.store.organisation.establish(OPERATOR, PRACTICE)
    _, patient = await planned()
    page = await patient.come_in()
    assert "/c/rights/mine/request" in page.html
    body = urlencode({"what": "erasure", "purpose": "", "text": "Alles weg"})
    form = await patient.browser.get("/c/rights/mine/request")
    assert form.status == 200 and "antwoordt binnen vier weken" in form.html
    for _ in range(2):
        seen = await patient.browser.send("/c/rights/mine/request/ask", body)
        assert seen.status == 200, seen.html
    rows = await sending.store.database.ask(REQUESTS.living())
    (one,) = (await sending.store.reader.open(REQUESTS, rows)).living
    assert (one.what, one.way, one.proven, one.mail, one.account) == ("erasure", "link", "link", TO, sending.alice.id)
    (link,) = set(re.findall(r"http://localhost:\d+(/request/[\w-]{43})", seen.html))
    status = await patient.browser.get(link)
    assert status.status == 200 and "Alles weg" not in status.html


async def test_a_link_files_no_more_than_its_number(sending: Server, mails: MailServer, planned: Planned) -> None:
    await sending.store.organisation.establish(OPERATOR, PRACTICE)
    _, patient = await planned()
    await patient.come_in()
    statuses = []
    for number in range(REQUESTING_PERSON.tries + 1):
        body = urlencode({"what": "erasure", "purpose": "", "text": str(number)})
        statuses.append((await patient.browser.send("/c/rights/mine/request/ask", body)).status)
    assert statuses == [200] * REQUESTING_PERSON.tries + [429]


async def test_whoever_typed_no_code_is_led_back(sending: Server, planned: Planned) -> None:
    _, patient = await planned()
    seen = await patient.browser.get("/c/rights/mine/request")
    assert (seen.status, seen.location) == (303, "/c/rights")
    seen = await patient.browser.send("/c/rights/mine/request/ask", "what=access&purpose=&text=")
    assert (seen.status, seen.location) == (303, "/c/rights")
    assert await sending.store.database.ask(REQUESTS.living()) == []
