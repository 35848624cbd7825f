"""What the audit trail says beside an act has words in every language."""

from vault.audit import Act
from web.locale import CATALOGUES
from web.trail import DETAILS, Details


def assert_in_words(act: Act, detail: str | None) -> None:
    """A detail without a word would be shown as a code."""
    known = DETAILS.get(act, Details())
    assert detail is None or known.said(detail, CATALOGUES["nl"].text), f"{act}: no word for {detail}"
