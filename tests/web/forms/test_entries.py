"""What a form changes and a page shows of stored data stands in the audit trail."""

import pytest

from web import routes

TOUCH_NOTHING = {
    "GET /forgotten": "a question",
    "GET /forgotten/{token}": "whether a link is good",
    **dict.fromkeys(
        ("GET /agreements", "GET /agreements/{document}"), "what everybody may read, and when the account accepted it"
    ),
    "GET /account/notices": "what the organisation tells everybody in it",
    "GET /account/newsletter": "whether it is on, for its own page",
    **dict.fromkeys(
        ("GET /newsletter/confirm/{token}", "GET /newsletter/leave/{token}"), "whether a link is good, and for what"
    ),
    "GET /account": "the account's own name and sign-ins, for its own page",
    "GET /account/assistants": "who works for the account, for its own page",
    "GET /account/sights": "what others did with one's own agenda, for its own page",
    "GET /account/legal": "what a law demanded of one's own, for its own page; whoever did it entered it",
    "GET /practice/papers": "settings, and what the inventory says",
    "POST /practice/papers/take": "the same as a file",
    "GET /account/presets": "what somebody plans often, for their own page",
    "GET /account/particulars": "what the account tells of itself, for its own page",
    "GET /account/bank": "the last four of the account's own number, for its own page",
    "GET /account/photograph": "the account's own, for its own page",
    "GET /account/mail": "the account's own address, for its own page",
    "GET /mail/{token}": "whether a link is good, and the address that it is for",
    "GET /practice/organisation": "what the organisation says of itself, for who may change it",
    "GET /practice/branding": "the organisation's colours and logo, for who may change them",
    "GET /practice/mail-server": "since when, and from which address, for who decides it",
    "GET /account/feed": "since when somebody has a feed, for its owner",
    "GET /account/booking": "what somebody offers, for their own page",
    "GET /account/open-hour": "when somebody receives whoever comes, for their own page",
    "GET /book/{page}/open": "how many are in a queue, nobody of them",
    "GET /book/{page}": "times that are free, of nobody",
    "GET /book/{page}/{time}": "one of them",
    "GET /book/{page}/held/{token}": "what whoever holds a time typed a moment ago",
    "GET /practice/sms": "since when, and from whom, for who decides it",
    "GET /practice/policies": "what the organisation has decided, for who decides it",
    **dict.fromkeys(
        ("GET /practice/report", "POST /practice/report/take"),
        "settings, and which tests claim what the software promises",
    ),
    **dict.fromkeys(
        ("GET /practice/statistics", "POST /practice/statistics/take"), "numbers of the whole organisation, none small"
    ),
    "GET /practice/record": "settings, and when things of the whole server were last done",
    "GET /account/password": "the account's own address, for what keeps passwords in a browser",
    "GET /invited/{token}": "what the link itself says",
    "GET /invited/{token}/passkey": "the same, and a challenge",
    "GET /register": "a question",
    "GET /request": "a question",
    "GET /report": "a question",
    "GET /report-minor": "a question",
    "GET /identity/{token}": "whether a picture is taken, to whoever has its request's link",
    "GET /request/{token}": "of one request, to whoever has its link",
    "GET /account/requests": "what somebody asked for, for their own page",
    **dict.fromkeys(
        (f"GET /register/{{token}}{rest}" for rest in ("", "/in/{organisation}", "/own")), "what the link itself says"
    ),
    **dict.fromkeys(
        (f"GET /register/{{token}}{rest}/passkey" for rest in ("/in/{organisation}", "/own")),
        "the same, and a challenge",
    ),
    "POST /book/{page}/{time}/hold": "a time for ten minutes, of nobody yet; what becomes of it is entered",
    "GET /c/rights": "a question",
    "GET /c/consent": "a question",
    "GET /c/questions": "a question",
    "GET /account/questions": "what somebody asks, for their own page",
    "GET /account/consents": "what somebody asks, for their own page",
    "GET /practice/consents": "what the organisation asks, for who decides it",
    "GET /c/rights/code": "by which ways a code can come, for whoever has the link",
    "POST /c/rights/leave": "nothing stored; a cookie ends",
    "GET /taken/{token}": "whether a link is good",
    "POST /taken/{token}/open": "whether a code is right; fetching is entered",
    "GET /account/import": "a question",
    "GET /account/export": "how far the own archive is, for its own page",
    "POST /account/export": "that it may be fetched; fetching it is entered",
    "GET /first/{link}": "nothing: there is nobody yet",
    "GET /practice/ending": "what it is called and how many accounts there are, for who ends it",
    "GET /account/security": "how many codes are left, for its own page",
    "GET /account/security/passkey": "a challenge, nothing stored",
    "GET /account/security/app": "a secret that is not kept before it is set",
}
ENTERED_BY_THEMSELVES = {
    *("POST /practice/mail-server/try", "POST /practice/sms/try"),
    *("POST /account/sign-out", "POST /forgotten", "POST /forgotten/{token}/password"),
    *("POST /newsletter/confirm/{token}/give", "POST /newsletter/leave/{token}/stop"),
    *("POST /account/data/destroy", "GET /served", "POST /account/export/fetch"),
    "POST /taken/{token}/fetch",
    "POST /account/import",
    *("POST /mail/{token}/confirm", "POST /mail/{token}/stop", "POST /practice/audit/export"),
    *("POST /practice/invitations/invite", "POST /practice/invitations/again"),
    *("POST /invited/{token}/passkey/make", "POST /account/assistants/part"),
    *(
        f"POST /served/{{practitioner}}/{{day}}/{one}"
        for one in (
            *("plan", "end", "reopen", "cancel", "keep", "destroy"),
            *("tell", "write", "decline", "hand-over", "announce", "call-in"),
        )
    ),
    "POST /served/{practitioner}/appointments/{appointment}/correct",
    *("POST /report", "POST /report-minor"),
    *("POST /request", "POST /account/requests/ask", "POST /c/rights/mine/request/ask"),
    *("POST /register", "POST /book/{page}/held/{token}/confirm", "POST /book/{page}/open/come"),
    "POST /waits/{appointment}/hand-over",
    *(
        f"POST /register/{{token}}/{way}/{form}"
        for way in ("in/{organisation}", "own")
        for form in ("accept", "passkey/make")
    ),
    "POST /practice/arrivals/turn-down",
    *(f"POST /c/rights/{one}" for one in ("code", "again", "open", "mine/data/take", "mine/data/erase")),
    *(f"POST /c/consent/{one}" for one in ("read", "give", "withdraw")),
    "POST /c/rights/mine/consents/withdraw",
    *("POST /c/questions/read", "POST /c/questions/answer"),
    *("POST /practice/people/{account}/engage", "POST /practice/people/{account}/release"),
}


@pytest.mark.duty("S-51")
def test_every_page_and_every_form_has_its_entry() -> None:
    without = {f"GET {page.path}" for page in routes.PAGES if page.entered is None}
    without |= {f"POST {form.path}" for form in routes.FORMS if form.entered is None}
    assert without == TOUCH_NOTHING.keys() | ENTERED_BY_THEMSELVES


def test_names_of_forms_are_one_pages_own() -> None:
    for page in routes.PAGES:
        names = [form.name for form in routes.FORMS if form.page is page]
        assert len(names) == len(set(names))
    assert len({form.path for form in routes.FORMS}) == len(routes.FORMS)
