"""Every REST body. Times are RFC 3339 with an offset; days are ISO 8601 dates."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from practice.agenda.ages import Band, LiftReason
from practice.agenda.wishes import Wish
from practice.names import readable
from practice.sentences.store import MAX_TEXT
from signaling.protocol.capabilities import Versions
from signaling.protocol.errors import WireError, absent
from signaling.protocol.events import IceServer, Role
from signaling.protocol.guests import GuestView, InvitedGuest
from signaling.protocol.model import Base64Url, Id, Message, nothing
from signaling.protocol.moments import Moment
from signaling.protocol.texts import Sentence
from signaling.protocol.told import PatientMail, PatientPhone, ToldView

Name = Annotated[str, Field(min_length=1, max_length=200)]
CodePass = Annotated[str, Field(max_length=2048)]
TypedName = Annotated[Name, AfterValidator(readable)]
Language = Literal["nl", "en", "de", "fr"]
Retention = Literal["end", "24h", "7d", "30d", "90d", "manual"]
Label = Literal["whole", "initials", "pseudonym"]


class SignIn(Message):
    """E-mail address and password."""

    mail: Annotated[str, Field(min_length=3, max_length=254)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]


Challenge = Annotated[str, Field(min_length=1, max_length=4096)]


class SignInLink(Message):
    """A sign-in link's token (the demo's, which dies with the process)."""

    token: Annotated[str, Field(min_length=16, max_length=128)]


class FactorCode(Message):
    """The second step: the challenge of ``factor_needed``, and a code of an app or a recovery code."""

    challenge: Challenge
    code: Annotated[str, Field(min_length=1, max_length=64, description="Spaces, hyphens and capitals do not matter.")]


class PasskeyOptions(Message):
    """What a browser's ``navigator.credentials.get`` needs; user verification is required."""

    challenge: str = Field(description="To be sent back.")
    bytes: str = Field(description="What the authenticator signs, base64url.")
    party: str = Field(description="The relying party's id.")


Part = Annotated[Base64Url, Field(min_length=1, max_length=4096)]


class PasskeyAssertion(Message):
    """What a passkey said. There is no place for results of extensions: those of PRF are secrets of the browser's."""

    challenge: Challenge
    id: Part
    client_data: Part
    authenticator_data: Part
    signature: Part
    user_handle: Part


class SetUp(Message):
    """The challenge of ``factor_set_up_needed``."""

    challenge: Challenge


class Me(Message):
    practitioner: Id
    mail: str = Field(description="With which the practitioner signs in.")
    display_name: Name
    language: Language
    retention: Retention
    second_factor_by: Moment | None = Field(
        default=None,
        exclude_if=absent,
        description="From when on signing in leads to setting up a second factor and to nothing else; absent where it "
        "does not.",
    )
    assists: bool = Field(
        default=False, exclude_if=nothing, description="Plans and greets for others, at `/served`; has no desk."
    )
    sends: bool = Field(
        default=False, exclude_if=nothing, description="Patients can be told by mail. Of `GET /me` alone."
    )
    texts: bool | None = Field(
        default=None,
        exclude_if=absent,
        description="Patients can be told by text message; false where the organisation has no provider, absent where "
        "this server sends none. Of `GET /me` alone.",
    )
    sights_unseen: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        exclude_if=absent,
        description="How often somebody was given sight of this agenda, of which its practitioner has not said to "
        "know; absent for none. Of `GET /me` alone.",
    )


class SetRetention(Message):
    """The one central setting (S-29)."""

    retention: Retention


class RetentionSet(Message):
    retention: Retention
    due_within_minute: int = Field(description="Living appointments that this setting destroys within 60 s.")
    cap: Retention | None = Field(
        default=None, exclude_if=absent, description="The longest that the practice allows; absent where it allows any."
    )
    cap_by: Name | None = Field(
        default=None, exclude_if=absent, description="Who set that; absent also where they are no member any more."
    )


Attendance = Literal["held", "missed"]


class NewAppointment(Message):
    patient: TypedName = Field(description="A name or a pseudonym: one line with something to be seen in it.")
    starts_at: Moment = Field(description="At most two years away.")
    minutes: Annotated[int, Field(ge=5, le=480)]
    language: Language = "nl"
    anyway: bool = Field(default=False, description="What would be ``doubtful`` is meant.")
    mail: PatientMail | None = Field(default=None, description="Where the patient is invited, if by mail.")
    phone: PatientPhone | None = Field(default=None, description="And if by text message: a mobile number.")
    code: bool = Field(default=False, description="Whoever opens the link types digits that are sent there.")
    band: Band | None = Field(
        default=None, description="How old the patient is then, where they may be under 16: a guardian agrees first."
    )


class AppointmentView(Message):
    appointment: Id
    version: int = Field(description="Rises with every change of what is stored.")
    patient: Name
    starts_at: Moment
    minutes: int
    language: Language
    state: Literal["planned", "ended"]
    destroyed_at: Moment | None = Field(description="When it is destroyed; null with the setting manual.")
    wish: Wish | None = Field(default=None, description="The patient cannot come, or asks for another time.")
    number: int | None = Field(default=None, exclude_if=nothing, description="Of who came to an open hour.")
    cancelled: bool = Field(default=False, description="Destroyed at that moment, unless `keep` comes before.")
    attended: Attendance | None = Field(
        default=None,
        description="Whether it was held, as its consult showed or by hand; null where nobody knows.",
    )
    reopens: bool = Field(description="Whether it has ended and can still be opened again.")
    link: str = Field(description="The patient's link, secret in its fragment.")
    mail: str | None = Field(
        default=None, exclude_if=absent, description="Where the patient is told of it by mail; absent for nowhere."
    )
    phone: str | None = Field(default=None, exclude_if=absent, description="And by text message, as E.164.")
    told: list[ToldView] = Field(
        default=[], exclude_if=nothing, description="The newest of each way, of lists and what was just written."
    )
    code: bool = Field(default=False, exclude_if=nothing, description="The patient's link asks for a code.")
    guests: list[GuestView] = Field(default=[], exclude_if=nothing, description="Who else takes part.")
    band: Band | None = Field(default=None, exclude_if=absent, description="The patient's age then, as it was said.")
    lifted: LiftReason | None = Field(
        default=None, exclude_if=absent, description="Why this child is received without a guardian's consent."
    )
    missing: Literal["consent_needed", "guardian_needed"] | None = Field(
        default=None, exclude_if=absent, description="Why its patient does not get into the waiting room yet."
    )


class UnreadableView(Message):
    """An appointment that cannot be read: damaged, or written by a newer version of the server. It can be destroyed."""

    appointment: Id
    newer: bool = Field(default=False, description="Whether a newer version of the server reads it: nothing is lost.")


class AppointmentList(Message):
    appointments: list[AppointmentView]
    unreadable: list[UnreadableView] = Field(
        default=[], description="All that cannot be read, whatever the days asked for: nobody knows theirs."
    )


class ServedView(Message):
    """A practitioner for whom whoever is signed in works: named in the parameter ``practitioner``."""

    practitioner: Id
    display_name: Name | None = Field(description="Null where it cannot be read.")
    label: Label = Field(description="How much is seen of what this practitioner calls a patient.")
    admits: bool = Field(description="Whether `call-in` is carried out.")


class ServedList(Message):
    practitioners: list[ServedView]


class Receipt(Message):
    """Of an irrecoverable destruction (S-31): says when, not what."""

    receipt: str
    destroyed_at: Moment
    generation: int


class ReceiptList(Message):
    receipts: list[Receipt]


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(readable)]


class NewSentence(Message):
    language: Language
    text: Text = Field(description="One line with something to be seen in it.")
    anyway: bool = Field(default=False, description="What would be ``doubtful`` is meant.")


class SentenceView(Message):
    """What the practitioner says to whoever waits, in one language. It lives as long as the account."""

    sentence: Id
    language: Language
    text: str


class UnreadableSentence(Message):
    """One that cannot be read: damaged, or written by a newer version of the server. It can be destroyed."""

    sentence: Id
    newer: bool = Field(default=False, description="Whether a newer version of the server reads it: nothing is lost.")


class SentenceList(Message):
    sentences: list[SentenceView]
    unreadable: list[UnreadableSentence] = Field(default=[], description="Of these nobody knows the language.")


class WaitingRequest(Message):
    """The patient's link, as for joining, and the language of the page."""

    link: Annotated[str, Field(max_length=2048)]
    code_pass: CodePass | None = None
    language: Language


class WaitingSentence(Message):
    text: str | None = Field(description="What the practitioner says to whoever waits; null for nothing.")


class Confirm(Message):
    """The password once more, for what cannot be undone."""

    password: Annotated[str, Field(min_length=1, max_length=1024)]


class AllDestroyed(Message):
    destroyed: int
    waiting: int = Field(description="In a consult that is waited for; destroyed as soon as it ends.")


class AccountClosed(AllDestroyed):
    receipt: Receipt | None = Field(description="Of the account itself; null while consults are waited for.")


class Ticket(Message):
    """An access token for the Socket.IO handshake."""

    access_token: str
    expires_in: int = Field(description="Seconds.")


class RefreshRequest(Message):
    """A refresh token, which is worthless afterwards."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=2048)]


class TokenSet(Message):
    """For an app. The access token opens Socket.IO and, a practitioner's, REST (``Authorization: Bearer``)."""

    access_token: str
    expires_in: int = Field(description="Seconds.")
    refresh_token: str = Field(description="Good once; replaces the one before it.")
    refresh_expires_in: int = Field(description="Seconds, after which one has to sign in or open the link again.")
    practitioner: Id | None = Field(default=None, description="Null for a patient.")


class JoinRequest(Message):
    """The part of a patient's link behind the ``#``: id and secret, 22 base64url characters each.

    What cannot belong to it (a full stop, quotes, ``%20``, ``&fbclid=…``, invisible characters) is dropped.
    """

    link: Annotated[str, Field(max_length=2048)]
    refresh: bool = Field(default=False, description="Whether the answer shall have a refresh token.")
    code_pass: CodePass | None = Field(default=None, description="Where the link asks for a code: of `/join/pass`.")


class Protocol(Message):
    """What the server speaks."""

    supported: Versions
    capabilities: list[str]


class Bounds(Message):
    """What a client must keep to. Sizes in bytes, times in seconds."""

    message_bytes: int = Field(description="One Socket.IO message.")
    chat_bytes: int = Field(description="The ciphertext of one chat message, in base64url.")
    sdp_bytes: int
    body_bytes: int = Field(description="The body of one REST call.")
    events_per_second: float = Field(description="Of one socket, in the long run.")
    events_burst: int
    authenticate_within: float = Field(description="From the WebSocket to the CONNECT packet.")
    seat_seconds: int = Field(description="For which a place is kept after its socket was lost.")
    replay_seconds: int
    once_seconds: int


class Entrance(Message):
    """The ticket into one consult: all that a client needs before it connects. The appointment is the room."""

    access_token: str
    expires_in: int = Field(description="Seconds.")
    appointment: Id
    role: Role
    protocol: Protocol
    limits: Bounds
    ice_servers: list[IceServer] = Field(
        description="With TURN credentials, for who is in at once; empty for who has to wait: they come with the room "
        "view as soon as the practitioner calls in."
    )
    refresh_token: str | None = None
    refresh_expires_in: int | None = None


class Join(Entrance):
    """What the patient's page may know before anybody calls in."""

    role: Literal["patient", "guest"]
    guest: InvitedGuest | None = Field(default=None, exclude_if=absent, description="Whose link it is, if a guest's.")
    practitioner_name: Name
    starts_at: Moment
    minutes: int
    language: Language
    window: Literal["early", "open", "late"]
    opens_at: Moment
    opens_in: int = Field(description="Seconds until the waiting room opens; 0 when it has.")
    closes_at: Moment = Field(description="Who still waits then, waits in vain.")
    closes_in: int = Field(description="Seconds until then: a clock that stands wrong does not matter.")
    wish: Wish | None = Field(default=None, description="What was last said of coming.")
    asks: bool = Field(
        default=False, exclude_if=nothing, description="Consent was given, and can be withdrawn by this link."
    )
    questions: bool = Field(
        default=False, exclude_if=nothing, description="Something is asked beforehand, on the page `/c/questions`."
    )


class ErrorView(Message):
    """One code, for programmers and for people. ``http`` is null for a code that only a client gives."""

    code: str
    category: Literal["protocol", "user", "internal"]
    http: int | None
    message: str
    sentence: Sentence


class ErrorCatalogue(Message):
    errors: list[ErrorView]


class Failure(Message):
    """Every answer that is not a success."""

    error: WireError
