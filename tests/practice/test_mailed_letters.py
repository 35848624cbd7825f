"""What is read of a mail about somebody's data: the beginning of what they wrote, and nothing that they hung on."""

import base64
import time as clock
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.mailed_requests.letters import Head, clean, head, text, without_tags
from practice.mailed_requests.structure import DEEPEST, Part, Shape, answers, shape
from tests.servers.structure import structure

SENDER = "jan@example.net"


def fetched(raw: bytes) -> Shape:
    """The shape of a message by what a server says of it."""
    (found,) = answers([b"1 (UID 5 BODYSTRUCTURE " + structure(raw) + b")"])
    return shape(found["BODYSTRUCTURE"])


def letter(**headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"] = SENDER, "My data"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content("Please tell me what you have.\n")
    return made


def test_a_plain_mail_is_its_text() -> None:
    assert fetched(letter().as_bytes()) == Shape((Part("1", "plain", "utf-8", "7bit"),), 0)


def test_attachments_are_counted_wherever_they_are_and_a_text_that_has_a_name_is_one() -> None:
    made = letter()
    made.add_alternative("<p>Please</p>", subtype="html")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="passport.pdf")
    made.add_attachment("a list", filename="list.txt")
    made.add_attachment(letter())
    found = fetched(made.as_bytes())
    assert found.attachments == 3
    assert [(one.section, one.kind) for one in found.texts] == [("1.1", "plain"), ("1.2", "html")]


def test_a_picture_within_the_text_is_an_attachment_too() -> None:
    made = letter()
    made.add_alternative("<img src='cid:x'>", subtype="html")
    made.get_payload()[1].add_related(b"\xff\xd8\xff", maintype="image", subtype="jpeg", cid="<x>")  # type: ignore[index,union-attr]
    assert fetched(made.as_bytes()).attachments == 1


def nested(deep: int) -> bytes:
    inner: bytes = b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1 NIL NIL NIL NIL)'
    for _ in range(deep):
        inner = b'(%s "MIXED" NIL NIL NIL NIL)' % inner
    return inner


def test_ten_deep_is_read_and_deeper_than_anybody_writes_is_refused() -> None:
    (found,) = answers([b"1 (BODYSTRUCTURE " + nested(10) + b")"])
    assert shape(found["BODYSTRUCTURE"]).texts[0].section == ".".join(["1"] * 10)
    for deep in (DEEPEST + 2, 5000):
        with pytest.raises(ValueError, match=r"more than a mail has|no part of a mail"):
            (found,) = answers([b"1 (BODYSTRUCTURE " + nested(deep) + b")"])
            shape(found["BODYSTRUCTURE"])


def test_what_a_server_says_may_hold_literals_and_be_of_another_message() -> None:
    parts = [
        b"9 (FLAGS (\\Seen))",
        (b'1 (UID 5 BODYSTRUCTURE ("TEXT" "PLAIN" ("NAME" {5}', b'a"b\\c'),
        b') NIL NIL "7BIT" 5 1))',
    ]
    said = list(answers(parts))
    assert said[0] == {"FLAGS": [b"\\Seen"]}
    assert shape(said[1]["BODYSTRUCTURE"]) == Shape((), 1), "it has a name"


@given(st.lists(st.binary(max_size=60) | st.tuples(st.binary(max_size=40), st.binary(max_size=40)), max_size=6))
def test_whatever_a_server_says_is_an_answer_or_none(parts: list[bytes | tuple[bytes, bytes]]) -> None:
    try:
        for one in answers(parts):
            shape(one.get("BODYSTRUCTURE"))
    except ValueError:
        return


# --- who it is from, and whether a program sent it --------------------------------------------------------------------


def of(raw: str, *ours: str) -> Head:
    return head(raw.encode(), ours)


def test_a_person_may_be_answered() -> None:
    found = of(f"Return-Path: <{SENDER}>\nFrom: Jan <{SENDER}>\nSubject: =?utf-8?q?Mes_donn=C3=A9es?=\n\n")
    assert (found.mail, found.subject, found.automatic, found.reply) == (SENDER, "Mes données", False, False)


@pytest.mark.duty("S-47")
@pytest.mark.parametrize(
    "header",
    [
        *("Auto-Submitted: auto-generated", "Auto-Submitted: auto-notified; owner-token=x", "Precedence: bulk"),
        *("Precedence: list", "Precedence: junk", "List-Id: <a.example.net>", "List-Unsubscribe: <mailto:a@b.example>"),
        *("Return-Path: <>", "X-Auto-Response-Suppress: All", "Auto-Submitted: auto-replied"),
    ],
)
def test_what_a_program_sent_is_answered_by_none(header: str) -> None:
    assert of(f"From: {SENDER}\n{header}\n\n").automatic


@pytest.mark.parametrize(
    "local", ["MAILER-DAEMON", "noreply", "no-reply", "owner-list", "list-request", "list-bounces", "postmaster"]
)
def test_nor_who_is_nobody(local: str) -> None:
    assert of(f"From: {local}@example.net\n\n").automatic


def test_nor_ourselves_nor_who_is_not_to_be_found() -> None:
    assert of("From: Privacy@Example.org\n\n", "privacy@example.org").automatic
    for said in (
        "",
        "From: a@b.example, c@d.example\n",
        "From: nobody\n",
        "From: a@[192.0.2.1]\n",
        "From: <x\u00e9@b>\n",
    ):
        assert of(f"{said}\n").mail == "", said


def test_what_answers_a_mail_of_ours_by_itself_is_none_at_all() -> None:
    assert of(f"From: {SENDER}\nAuto-Submitted: auto-replied (vacation)\n\n").reply
    assert of("From: us@example.org\nAuto-Submitted: auto-generated\n\n", "us@example.org").reply
    assert not of(f"From: {SENDER}\nAuto-Submitted: auto-generated\n\n").reply, "a program asks for somebody"
    assert not of(f"From: {SENDER}\nAuto-Submitted: no\n\n").automatic


# --- the text ---------------------------------------------------------------------------------------------------------


def plain(raw: bytes, charset: str = "utf-8", encoding: str = "7bit") -> str:
    return text([(Part("1", "plain", charset, encoding), raw)], 4000)[0]


def test_a_text_is_read_in_its_encoding_as_far_as_it_goes() -> None:
    assert plain("été".encode("cp1252"), "Windows-1252") == "été"
    assert plain(base64.encodebytes("déjà vu".encode())[:-3], encoding="base64") == "déjà "[:4], "cut in a character"
    assert plain(b"d=C3=A9j=C3=A0=\nvu", encoding="quoted-printable") == "déjàvu"
    for charset in ("zip", "idna", "unicode_escape", "punycode", "", "\x00", "rot13"):
        assert plain(b"\\u0041", charset) == "\\u0041"


def test_a_long_one_is_cut_and_that_is_said() -> None:
    found, cut = text([(Part("1", "plain", "", ""), b"a" * 5000)], 4000)
    assert (len(found), cut) == (4000, True)


def test_what_steers_a_reader_is_gone() -> None:
    assert clean("a\x1b[31m\u202eb\r\n\r\n\r\n\r\nc\x00\td") == "a[31mb\n\nc d"


def test_html_alone_becomes_what_somebody_would_read_and_nothing_is_fetched_or_run() -> None:
    said = (
        "<html><head><title>T</title><style>p{}</style></head><body><!-- no --><p>Hello &amp; &lt;you&gt;</p>"
        "<script>alert(1)</script><img src='https://x.example/p.gif' alt=x><div>second<br>third</div></body></html>"
    )
    found, _ = text([(Part("1", "html", "", ""), said.encode())], 4000)
    assert found == "Hello & <you>\n\nsecond\nthird"
    both = [(Part("1", "plain", "", ""), b" \n "), (Part("2", "html", "", ""), b"<p>only here")]
    assert text(both, 4000)[0] == "only here", "a plain part that says nothing"


def test_no_html_takes_long() -> None:
    begun = clock.process_time()
    for piece in ("<", "<!--", "<script>", "<a ", "</script", "<![CDATA[", "&#", "<p>"):
        without_tags(piece * (262_144 // len(piece)))
    assert clock.process_time() - begun < 3


@given(st.binary(max_size=300), st.sampled_from(["7bit", "base64", "quoted-printable", "x"]), st.text(max_size=10))
def test_whatever_arrives_is_a_text(raw: bytes, encoding: str, charset: str) -> None:
    for kind in ("plain", "html"):
        found, _ = text([(Part("1", kind, charset, encoding), raw)], 100)
        assert len(found) <= 100 and "\x00" not in found


@given(st.binary(max_size=400))
def test_whatever_its_header_is_it_has_one(raw: bytes) -> None:
    head(raw)
