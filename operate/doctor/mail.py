"""Mail in the practice's name: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489)."""

import re
from collections.abc import Mapping

from operate.doctor.finding import Finding, bad, good, unknown, warn
from operate.doctor.resolving import Resolver, Silent


async def mail(
    resolver: Resolver, domain: str, selector: str | None, ours: Mapping[str, str] | None = None
) -> list[Finding]:
    """Whether others can send mail as this domain. ``ours`` are the keys that we sign by: what has to be published, by
    selectors.
    """
    try:
        spf = [text for text in (await resolver.ask(domain, "TXT")).texts if text.lower().startswith("v=spf1")]
        dmarc = (await resolver.ask(f"_dmarc.{domain}", "TXT")).texts
        asked = list(ours) if ours else [selector] if selector else []
        dkim = {one: (await resolver.ask(f"{one}._domainkey.{domain}", "TXT")).texts for one in asked}
    except Silent:
        return [unknown("mail", "No name server answers.", "Look at /etc/resolv.conf, or give --nameserver.")]
    signed = _ours(ours, dkim) if ours else _dkim(dkim.get(selector or ""), selector)
    return [_spf(spf), signed, _dmarc([text for text in dmarc if text.lower().startswith("v=dmarc1")])]


def _spf(found: list[str]) -> Finding:
    if not found:
        return bad("mail-spf", "Anybody can send in the domain's name (no SPF).", "Add a TXT record: v=spf1 … -all")
    if len(found) > 1:
        return bad("mail-spf", "There are several SPF records, so none counts.", "Keep one.")
    last = re.findall(r"(?:^|\s)([+?~-]?)all(?=\s|$)", found[0].lower())
    if last and last[-1] == "-":
        return good("mail-spf", "Only the named servers may send.")
    if last and last[-1] in ("", "+"):
        return bad("mail-spf", "The SPF record allows everybody (+all).", "End it with -all.")
    if "redirect=" in found[0].lower() and not last:
        return unknown("mail-spf", "The SPF record points to another domain.", "Look at that one.")
    return warn("mail-spf", "The SPF record forbids nobody (~all or ?all).", "End it with -all.")


def _dkim(found: list[str] | None, selector: str | None) -> Finding:
    if found is None:
        return unknown("mail-dkim", "The name of the DKIM key cannot be guessed.", "Give --dkim SELECTOR.")
    keys = [re.search(r"(?:^|;)\s*p=\s*([^;]*)", text) for text in found]
    if not any(keys):
        meaning = f"There is no DKIM key {selector}."
        return bad("mail-dkim", meaning, "Publish the key that your mail server signs with.")
    if not any(key and key[1].strip() for key in keys):
        return bad("mail-dkim", "The DKIM key is revoked (p= is empty).", "Publish the key that is in use.")
    return good("mail-dkim", "The DKIM key is published.")


def _ours(wanted: Mapping[str, str], found: Mapping[str, list[str]]) -> Finding:
    """Whether everybody can verify what we sign."""
    for selector, text in wanted.items():
        if _key(text) not in map(_key, found[selector]):
            meaning = f"Mail is signed by a key that is not published as {selector}, or another one is."
            return bad("mail-dkim", meaning, "Publish what `spreekkamer dkim-records` prints.")
    return good("mail-dkim", f"Mail is signed, and published are {' and '.join(wanted)}.")


def _key(text: str) -> tuple[str, str]:
    """Kind and key of a record (RFC 6376, 3.6.1), which may have blanks in it and be written in any order."""
    tags = dict(part.split("=", 1) for part in re.sub(r"\s", "", text).split(";") if "=" in part)
    return tags.get("k", "rsa"), tags.get("p", "")


def _dmarc(found: list[str]) -> Finding:
    if len(found) != 1:
        meaning = (
            "There are several DMARC records, so none counts." if found else "Nothing says what to do with forgeries."
        )
        return bad("mail-dmarc", meaning, "Publish one TXT record at _dmarc: v=DMARC1; p=reject")
    policy = re.search(r"(?:^|;)\s*p=\s*(\w+)", found[0].lower())
    if policy and policy[1] in ("reject", "quarantine"):
        return good("mail-dmarc", f"Forgeries are met with {policy[1]}.")
    return warn("mail-dmarc", "The DMARC policy lets forgeries through (p=none).", "Make it p=quarantine or p=reject.")
