"""A mail as a request, and the one answer that a program gives: that it came, and where to go on. It says nothing of
anybody, for whoever reads it need not be who sent the mail.
"""

from typing import Final, Protocol

from practice.mailed_requests.letters import beginning
from practice.mailed_requests.reader import Mailed
from practice.notices.model import News
from practice.notices.store import Notices
from practice.organisation.store import Organisations
from practice.requests.model import MOST, Filing, Request
from practice.requests.store import Requests
from vault.audit import SERVER, Act, request
from vault.audit.trail import Trail
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.records.writing import Along


class Answers(Protocol):
    """Who was answered in the last 24 hours, by all servers together."""

    async def take(self, mail: str) -> bool:
        """Whether this address may be answered now; from now on it may not for a day."""

    async def give_back(self, mail: str) -> None:
        """It was not answered after all."""


class MailDesk:
    """Files what is mailed, for the server's own organisation (``reader.Desk``); ``scope`` is the server's."""

    most: Final = MOST

    def __init__(
        self,
        scope: Scope,
        requests: Requests,
        organisations: Organisations,
        notices: Notices,
        audit: Trail,
        answers: Answers,
    ) -> None:
        self._scope = scope
        self._requests = requests
        self._organisations = organisations
        self._notices = notices
        self._audit = audit
        self._answers = answers

    async def file(self, mailed: Mailed) -> None:
        """On disk when this returns, with the answer to it. Errors: DomainError."""
        language = (await self._organisations.get(self._scope)).profile.language
        whole = "\n\n".join(filter(None, (mailed.subject, mailed.text)))
        cut = mailed.cut or len(whole) > MOST
        filing = Filing(
            *("unspecified", "mailbox", language, beginning(whole, MOST), None, mailed.mail, mailed.once),
            enclosed=mailed.attachments,
            cut=cut,
        )
        answers = self._notices.on and mailed.answered and await self._answers.take(mailed.mail)

        def tell(made: Request) -> Along | None:
            news = News("request-mailed", made.mail, made.language, {"request": made.seed})
            if made.enclosed:
                values = {"identity": made.seed, "count": str(made.enclosed)}
                news = News("request-enclosed", made.mail, made.language, values)
            return self._notices.of(made.owner, news) if answers else None

        try:
            filed = await self._requests.file(self._scope, filing, tell)
        except DomainError:
            if answers:
                await self._answers.give_back(mailed.mail)
            raise
        if filed.new:
            made = filed.request
            await self._audit.record(Act.REQUEST_FILED, SERVER, request(made.owner, made.id), made.what)
