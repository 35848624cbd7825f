"""Addresses as mail servers take them."""

import pytest

from practice.mailboxes import canonical, host_name, mailbox, spellings


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("Alice@Example.org", "Alice@example.org"),
        (" a.b+c@mail.example.org ", "a.b+c@mail.example.org"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("o'neil@example.org", "o'neil@example.org"),
    ],
)
def test_the_domain_is_as_in_the_dns(typed: str, sent: str) -> None:
    assert mailbox(typed) == sent


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "@",
            "a@",
            "@example.org",
            "a",
            "a@localhost",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a@::1",
            "a b@example.org",
        ),
        *(
            "a@example.org\r\nRCPT TO:<b@example.org>",
            "a\n@example.org",
            "<a@example.org>",
            "a@exa mple.org",
            "a@-.org",
        ),
        *("é@example.org", '"a b"@example.org', "a..b@example.org", ".a@example.org", "a" * 65 + "@example.org"),
        *(
            "a@example.org,b@example.org",
            "a@b@example..org",
            "a@" + "b" * 64 + ".org",
            "a@example.org>",
            "a@\u202eexample.org",
        ),
    ],
)
def test_what_cannot_be_sent_to_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        mailbox(typed)


@pytest.mark.parametrize(
    ("typed", "found"),
    [("Mail.Example.org.", "mail.example.org"), ("[::1]", "::1"), ("10.0.0.1", "10.0.0.1"), ("mail", "mail")],
)
def test_a_host_is_a_name_or_an_address(typed: str, found: str) -> None:
    assert host_name(typed) == found


@pytest.mark.parametrize(
    "typed", ["", " ", "a b", "a:25", "https://a.example", "256.1.1.1", "a/b", "a@b", "_a.example"]
)
def test_no_host(typed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        host_name(typed)


ONE = ("a@bücher.example", "A@xn--bcher-kva.example", "a@BÜCHER.example.", " a@XN--BCHER-KVA.EXAMPLE")


def test_both_spellings_of_a_domain_are_one_address() -> None:
    assert {canonical(one) for one in ONE} == {"a@xn--bcher-kva.example"}
    assert canonical("a@strasse.example") != canonical("a@straße.example") == canonical("a@xn--strae-oqa.example")


@pytest.mark.parametrize("typed", ["a", "", "@", "a@", "a@xn--\u0430.example", "a@xn--zzzzzz99999.example", "a@\u202e"])
def test_what_is_no_address_is_compared_too(typed: str) -> None:
    assert spellings(typed)[0] == canonical(typed)
    assert canonical(canonical(typed)) == canonical(typed)


@pytest.mark.parametrize("typed", ONE)
def test_what_a_release_of_before_kept_is_among_the_spellings(typed: str) -> None:
    kept = {"a@bücher.example", typed.strip().casefold()}
    assert kept <= set(spellings(typed)), "that release compared what was typed, in lower case"
