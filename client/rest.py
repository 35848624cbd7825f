"""The REST calls of a client; every body is checked against the registry on its way."""

import ssl
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
from pydantic import ValidationError

from client.errors import Offline, Refusal
from signaling.protocol.consents import ConsentGiving, ConsentsView
from signaling.protocol.correction import Correction
from signaling.protocol.model import API
from signaling.protocol.rest import (
    AppointmentList,
    AppointmentView,
    Entrance,
    FactorCode,
    Failure,
    Join,
    JoinRequest,
    Language,
    Me,
    NewAppointment,
    Receipt,
    RefreshRequest,
    SignIn,
    SignInLink,
    Ticket,
    TokenSet,
    WaitingRequest,
)

SECONDS = 10.0


class Rest:
    """One person's calls, with the session's cookies.

    Args:
        url: the server's origin, without a slash at the end.
        tls: whom to trust; the system's authorities if not given.
        seconds: how long one call may take.
    """

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None, seconds: float = SECONDS) -> None:
        self.url = url
        self.tls = tls
        self._session = aiohttp.ClientSession(
            headers={"Origin": url},
            # Cookies of an address, as a server of one's own has.
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(seconds),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Idempotent."""
        await self._session.close()

    async def fetch(self, method: str, path: str, body: Any = None, *, bearer: str | None = None) -> tuple[int, str]:
        """Status and text of an answer, whatever they are. ``bearer``: an app's access token.

        Raises:
            Offline: there was no answer.
        """
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        options: Any = {"json": body, "headers": headers, "ssl": self.tls or True}
        try:
            async with self._session.request(method, self.url + path, **options) as response:
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Offline(type(error).__name__) from error

    async def call(self, method: str, path: str, body: Any = None) -> str:
        """The text of an answer that is a success; ``path`` is below the API's.

        Raises:
            Refusal: it is none. ``internal`` stands for what is no answer of this protocol.
            Offline: there was none.
        """
        status, text = await self.fetch(method, API + path, body)
        if status < 400:
            return text
        try:
            error = Failure.model_validate_json(text, extra="ignore").error
            raise Refusal(error.code, field=error.field, challenge=error.challenge)
        except ValidationError:
            raise Refusal("internal", f"HTTP {status}") from None

    async def sign_in(self, mail: str, password: str) -> Me:
        body = SignIn(mail=mail, password=password).model_dump()
        return Me.model_validate_json(await self.call("POST", "/sign-in", body), extra="ignore")

    async def sign_in_with_code(self, challenge: str, code: str) -> Me:
        """The second step, after a refusal ``factor_needed``: with its challenge."""
        body = FactorCode(challenge=challenge, code=code).model_dump()
        return Me.model_validate_json(await self.call("POST", "/sign-in/factor", body), extra="ignore")

    async def sign_in_with_link(self, token: str) -> Me:
        """A demo's link: what stands behind its ``#``."""
        body = SignInLink(token=token).model_dump()
        return Me.model_validate_json(await self.call("POST", "/sign-in/link", body), extra="ignore")

    async def sign_out(self) -> None:
        await self.call("POST", "/sign-out", {})

    async def desk_ticket(self) -> str:
        """A fresh access token for the practitioner's socket."""
        return Ticket.model_validate_json(await self.call("POST", "/desk/ticket", {}), extra="ignore").access_token

    async def appointments(self) -> list[AppointmentView]:
        """Those of today."""
        return AppointmentList.model_validate_json(await self.call("GET", "/appointments"), extra="ignore").appointments

    async def new_appointment(
        self, patient: str, starts_at: str, minutes: int = 30, band: Literal["under-12", "12-15", "16"] | None = None
    ) -> AppointmentView:
        """Whatever else there is at that time; ``band`` is how old the patient is then, where that was asked."""
        planned = NewAppointment(patient=patient, starts_at=starts_at, minutes=minutes, anyway=True, band=band)
        body = planned.model_dump(exclude_none=True)
        return AppointmentView.model_validate_json(await self.call("POST", "/appointments", body), extra="ignore")

    async def correct_appointment(self, appointment: str, correction: Correction) -> AppointmentView:
        """What is absent stays as it is.

        Raises:
            Refusal: ``conflict`` where ``seen`` is not its version any more; ``doubtful``.
        """
        text = await self.call("PATCH", f"/appointments/{appointment}", correction.model_dump(exclude_none=True))
        return AppointmentView.model_validate_json(text, extra="ignore")

    async def destroy_appointment(self, appointment: str) -> Receipt:
        """Irrecoverably, now."""
        return Receipt.model_validate_json(await self.call("DELETE", f"/appointments/{appointment}"), extra="ignore")

    async def join(self, link: str, *, refresh: bool = False, code_pass: str | None = None) -> Join:
        """By a link: what stands behind its ``#``; with ``refresh`` for an app, with a refresh token.

        Raises:
            Refusal: ``code_needed`` without the ``code_pass`` of this device, where the link asks for a code.
        """
        body = JoinRequest(link=link, refresh=refresh, code_pass=code_pass).model_dump(exclude_defaults=True)
        return Join.model_validate_json(await self.call("POST", "/join", body), extra="ignore")

    async def consents(self, link: str, language: Language = "nl") -> ConsentsView:
        """What a link asks its holder to agree to, and what they agreed to."""
        body = WaitingRequest(link=link, language=language).model_dump(exclude_none=True)
        return ConsentsView.model_validate_json(await self.call("POST", "/join/consents", body), extra="ignore")

    async def give_consents(self, link: str, versions: list[str], language: Language = "nl") -> ConsentsView:
        """Agree to texts that somebody read.

        Raises:
            Refusal: ``conflict`` where one of them is not asked any more: there is a newer text.
        """
        body = ConsentGiving(link=link, language=language, versions=versions).model_dump(exclude_none=True)
        return ConsentsView.model_validate_json(await self.call("POST", "/join/consents/give", body), extra="ignore")

    async def withdraw_consents(self, link: str) -> None:
        """Take back all that was agreed to: the consult ends for all, and the appointment is destroyed."""
        await self.call("POST", "/join/consents/withdraw", {"link": link})

    async def enter(self, appointment: str) -> Entrance:
        """The practitioner's ticket into a consult of theirs."""
        text = await self.call("POST", f"/appointments/{appointment}/join", {})
        return Entrance.model_validate_json(text, extra="ignore")

    async def sign_in_app(self, mail: str, password: str) -> TokenSet:
        """Without a cookie: an access token and a refresh token."""
        body = SignIn(mail=mail, password=password).model_dump()
        return TokenSet.model_validate_json(await self.call("POST", "/tokens", body), extra="ignore")

    async def sign_in_app_with_code(self, challenge: str, code: str) -> TokenSet:
        """The second step of an app, after a refusal ``factor_needed``: with its challenge."""
        body = FactorCode(challenge=challenge, code=code).model_dump()
        return TokenSet.model_validate_json(await self.call("POST", "/tokens/factor", body), extra="ignore")

    async def refresh(self, refresh_token: str) -> TokenSet:
        """The next two; the one that was used is worthless then.

        Raises:
            Refusal: ``token_reused`` if it was used before, which ends all that descend from the same sign-in.
        """
        body = RefreshRequest(refresh_token=refresh_token).model_dump()
        return TokenSet.model_validate_json(await self.call("POST", "/tokens/refresh", body), extra="ignore")

    async def revoke(self, refresh_token: str) -> None:
        """Sign out an app."""
        await self.call("POST", "/tokens/revoke", RefreshRequest(refresh_token=refresh_token).model_dump())
