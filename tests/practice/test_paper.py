"""What letters have beside their text: the practice's logo inside them, and its telephone below."""

from dataclasses import replace
from email.message import EmailMessage

from practice.notices.model import News
from practice.notices.paper import LOGO, paragraph
from practice.storage import Store
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.pictures import picture
from tests.practice.handing import joined
from tests.practice.posting import ORIGIN, news, postman, server, sqlite_store
from tests.servers.mail import MailServer
from vault.records.writing import always

__all__ = ["server", "sqlite_store"]

PHONE = "030 <b>123"


def parts(message: EmailMessage) -> dict[str, bytes]:
    """By what they are."""
    leaves = [one for one in message.walk() if not one.is_multipart()]
    return {one.get_content_type(): one.get_payload(decode=True) or b"" for one in leaves}  # type: ignore[misc]  # a leaf


async def test_a_letter_has_the_logo_inside_it_and_the_telephone_below(sqlite_store: Store, server: MailServer) -> None:
    store = sqlite_store
    organisation = await store.organisation.establish(OPERATOR, replace(PRACTICE, phone=PHONE))
    person = await joined(store, "noor")
    send = postman(store, server)
    await store.notices.along(person.id, [news(person)], always)
    await send.round()
    plain = server.taken[-1].message
    assert plain.get_content_type() == "text/plain"
    assert plain.get_content().strip().endswith(f"Vragen? Bel {PHONE}.")
    logo = picture()
    await store.pictures.set_logo(await scope_of(store, person.id), logo, 0)
    for owner in (person.id, organisation):
        await store.notices.along(owner, [News("new-device", person.mail, "fr")], always)
    await send.round()
    for taken in server.taken[-2:]:
        assert [one.get_content_type() for one in taken.message.walk()] == [
            *("multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png")
        ]
        found = parts(taken.message)
        assert found["image/png"] == logo
        html = found["text/html"].decode()
        assert f'src="cid:{LOGO}"' in html and f'<a href="{ORIGIN}/' in html and "030 &lt;b&gt;123" in html
        assert f"Appelez le {PHONE}" in found["text/plain"].decode()
        (image,) = [one for one in taken.message.walk() if one.get_content_type() == "image/png"]
        assert (image["Content-ID"], image.get_content_disposition()) == (f"<{LOGO}>", "inline")
        assert "http" not in html.replace(ORIGIN, ""), "nothing is fetched from anywhere"
        assert taken.raw.isascii() and max(map(len, taken.raw.split(b"\r\n"))) <= 78
        assert taken.message["Content-Language"] == "fr"


async def test_a_letter_goes_without_what_nobody_can_read(sqlite_store: Store, server: MailServer) -> None:
    store = sqlite_store
    await store.organisation.establish(OPERATOR, replace(PRACTICE, phone=PHONE))
    stranger = await store.practitioners.add("stranger@example.org", "correct horse battery", "Stranger", "nl")
    await store.notices.along(stranger.id, [news(stranger)], always)
    await postman(store, server).round()
    assert PHONE not in server.taken[-1].message.get_content()


def test_what_is_typed_stays_text_and_links_end_where_they_end() -> None:
    said = paragraph('Kijk op https://x.example/a?b=1&c. <script>"')
    assert '<a href="https://x.example/a?b=1&amp;c">https://x.example/a?b=1&amp;c</a>. &lt;script&gt;&quot;' in said
