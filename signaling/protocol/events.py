"""Every Socket.IO event. A client event is answered by one acknowledgement; a server event is not.

The acknowledgement is ``{"ok": true, "data": <reply model>}`` or ``{"ok": false, "error": <WireError>}``.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from signaling.protocol.capabilities import Capability, Replay, Sequence, Welcome
from signaling.protocol.groups import HandOver, Lock, Remove, Sizes, Speak, Speaks, two
from signaling.protocol.handshake import (
    Epoch,
    KeyCommit,
    KeyCommitted,
    KeyRestart,
    KeyReveal,
    KeyRevealed,
    KeyWrap,
    KeyWrapped,
)
from signaling.protocol.model import Base64Url, Empty, Id, Message, nothing
from signaling.protocol.report import Report
from signaling.protocol.waiting_room import (
    Announce,
    AnnouncedView,
    Check,
    CheckView,
    Decline,
    Declined,
    PutBack,
    Say,
    Write,
)

Role = Literal["practitioner", "patient", "guest"]
Source = Literal["microphone", "camera", "screen"]
MediaState = Literal["new", "connecting", "connected", "reconnecting", "failed"]
Feature = Literal["chat", "screen"]
Unusable = Literal["microphone", "camera", "screen", "hearing", "seeing"]
HoldMessage = Literal["soon", "five-minutes", "fifteen-minutes", "check-sound"]
EndReason = Literal["ended", "left", "cancelled", "expired", "removed"]
SignedOutCode = Literal["token_invalid", "token_reused"]

Seen = Annotated[
    Sequence | None, Field(description="With the capability ``replay``: the last number this page has seen.")
]
SDP_LENGTH = 131_072
CHAT_LENGTH = 65_536
Sdp = Annotated[str, Field(min_length=1, max_length=SDP_LENGTH)]
Ciphertext = Annotated[Base64Url, Field(max_length=CHAT_LENGTH)]


# --- views -----------------------------------------------------------------------------------------------------------


class Indicators(Message):
    """What a participant says to be sending; shown as an icon, never trusted for anything else."""

    microphone: bool = True
    camera: bool = True
    screen: bool = False


class ParticipantView(Message):
    """One person in the room. No names: the page has them from REST."""

    participant: Id
    role: Role
    state: Literal["waiting", "admitted"]
    connected: bool = Field(description="The signaling socket is there.")
    media: MediaState
    indicators: Indicators
    unusable: list[Unusable] = Field(
        default=[], description="What this person's client and the relay have no common form for; say it to everybody."
    )
    guest: Id | None = Field(
        default=None, exclude_if=nothing, description="Of role ``guest``: which, as REST names them."
    )
    host: bool = Field(default=False, exclude_if=nothing, description="A colleague who leads this consult too.")


class IceServer(Message):
    """As RTCIceServer."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class MediaView(Message):
    """Where media goes. A higher ``fence`` means: another worker; make a new peer connection and offer again."""

    fence: int
    ready: bool = Field(description="A worker has the room; an offer will be answered.")
    slots: int = Field(description="Receive-only pairs to offer, before the one stage line. More: a new connection.")
    ice_servers: list[IceServer]
    simulcast: bool = Field(default=False, exclude_if=nothing, description="A group: offer the camera in three sizes.")


class KeyMember(Message):
    participant: Id
    role: Role


class KeysView(Message):
    """The membership that the current key handshake is about, ordered by participant id (bytewise)."""

    epoch: Epoch
    members: list[KeyMember]


class RoomView(Message):
    """All that one participant may know of the room. The highest version wins; each view is complete.

    ``others``, ``media`` and ``keys`` are empty until the participant is admitted. The practitioner
    is always admitted. Who leads the consult sees among ``others`` who waits, too.
    """

    version: int
    appointment: Id
    me: ParticipantView
    others: list[ParticipantView]
    media: MediaView | None
    keys: KeysView | None
    resume: str = Field(description="Resume ticket; replaces the one before it.")
    barred: list[Feature] = Field(default=[], exclude_if=nothing, description="What its practice does not allow in it.")
    written: str | None = Field(default=None, exclude_if=nothing, description="While waiting: by the desk, to be read.")
    held: bool = Field(default=False, exclude_if=nothing, description="While waiting: put back by the practitioner.")
    plan: int = Field(default=0, exclude_if=nothing, description="Another than before: corrected; ask REST anew.")
    capacity: int = Field(default=2, exclude_if=two, description="How many may be in at once. More than two: a group.")
    locked: bool = Field(default=False, exclude_if=nothing, description="Nobody new comes to the waiting room.")


class WaitingView(Message):
    """Somebody in the waiting room; who has no microphone cannot be heard when called in."""

    appointment: Id
    participant: Id
    role: Role
    since: int = Field(description="Milliseconds since the Unix epoch.")
    connected: bool
    indicators: Indicators = Field(default_factory=Indicators)
    check: CheckView | None = Field(default=None, exclude_if=nothing, description="Absent where nothing was said.")
    written: str | None = Field(default=None, exclude_if=nothing, description="What the desk last wrote to them.")
    said: str | None = Field(default=None, exclude_if=nothing, description="What they last said to the desk.")
    held: bool = Field(default=False, exclude_if=nothing, description="They were in, and were put back.")
    number: int | None = Field(default=None, exclude_if=nothing, description="In the queue of an open hour.")
    guest: Id | None = Field(default=None, exclude_if=nothing, description="Of role ``guest``: which of its guests.")


class DeskView(Message):
    """Who waits for this practitioner, and which of the appointments has a running consult."""

    version: int
    practitioner: Id | None = Field(default=None, exclude_if=nothing, description="Absent where an older node says it.")
    waiting: list[WaitingView]
    in_consult: Id | None
    announced: AnnouncedView | None = Field(default=None, description="Said to all who wait; null by an older node.")


class SlotView(Message):
    """Slot ``slot`` shows ``participant``; the stage (a shared screen) has slot -1."""

    slot: int
    participant: Id
    paused: bool = Field(default=False, exclude_if=nothing, description="No picture, for want of bandwidth; sound is.")


# --- client to server ------------------------------------------------------------------------------------------------


class Connect(Message):
    """The ``auth`` payload of the Socket.IO CONNECT packet."""

    version: int
    token: str = Field(max_length=2048, description="Access token or resume ticket.")
    capabilities: Annotated[list[Capability], Field(max_length=64)] | None = Field(
        default=None, description="That the client has; answered by ``welcome``. Unknown ones are ignored."
    )


class Watch(Message):
    """Whose desk: that of a practitioner for whom an assistant works; without one it is one's own."""

    practitioner: Id | None = None


class Arrive(Message):
    """Enter the room. A patient waits; a practitioner is in at once. Idempotent for the same page."""

    appointment: Id
    participant: Id = Field(description="Made by the page, new at every load: 16 random bytes, base64url.")
    take_over: bool = False
    seen: Seen = None


class CallIn(Message):
    """To who leads the consult and is in it: by a colleague who does, or by who works for the practitioner and may do
    so. Nobody is put out by it.
    """

    appointment: Id
    participant: Id = Field(description="Who is called in.")


class Admit(CallIn):
    """Practitioner only; enters the room too if the practitioner was not in it (``me`` as in ``arrive``)."""

    me: Id
    take_over: bool = False
    seen: Seen = None


class Tell(Message):
    """One of the canned messages to somebody who waits, by the practitioner or who works for them."""

    appointment: Id
    participant: Id
    message: HoldMessage


class Line(Message):
    """What an m-line of the offer is for."""

    mid: Annotated[str, Field(pattern=r"^[!#-'*+\-.0-9A-Z^-~]{1,64}$")]
    use: Literal["microphone", "camera", "screen", "slot", "stage"]
    slot: int | None = Field(default=None, ge=0, le=63, description="With use=slot: its number.")


class Offer(Message):
    """An SDP offer: send-only lines, slot pairs, one stage line. BUNDLE, at most 40 m-lines."""

    fence: int
    sdp: Sdp
    lines: Annotated[list[Line], Field(min_length=1, max_length=40)]


class RefusedLine(Message):
    """An m-line that was offered and is answered with port 0."""

    line: int = Field(ge=0, description="Its index in the offer.")
    mid: str | None = Field(description="Null if it has none that can be used.")
    reason: str = Field(description="One of a fixed list.")


class Answer(Message):
    """An SDP answer. What is not in ``refused``, and was not closed by the offer itself, is live."""

    fence: int
    sdp: str
    version: int = Field(description="Of the slots, as in the event ``slots``.")
    slots: list[SlotView]
    refused: list[RefusedLine] = Field(default=[], description="Lines that cannot be used.")


class Keyframe(Message):
    """A frame of this participant could not be decrypted; ask the sender for a key frame."""

    participant: Id
    source: Source


class Chat(Message):
    """End-to-end encrypted; the server passes it on and keeps nothing."""

    ciphertext: Ciphertext
    to: Id | None = Field(default=None, description="Only to this participant (a log after a reload).")


# --- server to client ------------------------------------------------------------------------------------------------


class Slots(Message):
    """Under one fence the highest ``version`` counts, also against the one in an answer."""

    fence: int
    version: int
    slots: list[SlotView]


class ChatFrom(Message):
    sender: Id
    ciphertext: Ciphertext


class Told(Message):
    message: HoldMessage


class Ended(Message):
    reason: EndReason
    declined: Declined | None = Field(
        default=None, exclude_if=nothing, description="Only ``ended`` for this person: not received now."
    )


class SignedOut(Message):
    """What this connection was opened with is good for nothing any more; the connection is closed after it."""

    code: SignedOutCode = Field(description="Of the error catalogue, which has what to tell the person.")


class Unencrypted(Message):
    """The relay saw a frame without the encryption trailer and forwards no more of this source."""

    source: Source


@dataclass(frozen=True)
class ClientEvent:
    body: type[Message]
    reply: type[Message]
    roles: frozenset[str]
    summary: str
    lane: str | None = None
    """Events of one lane are carried out in the order in which they came; without one, those of this name."""
    assists: bool = False
    """Whether an assistant's socket may send it too, about whom they work for."""

    @property
    def once(self) -> bool:
        """Whether an id beside the body keeps a repeat from being carried out; the others answer a repeat anew."""
        return self.reply is Empty


EVERYONE = frozenset({"practitioner", "patient", "guest"})
INVITED = frozenset({"patient", "guest"})
PRACTITIONER = frozenset({"practitioner"})
LEADING = frozenset({"practitioner", "guest"})
"""Guests only who lead the consult, which its document says."""

ROOM: Final = "room"
"""The lane of whatever changes the place of a socket in a room."""

KEYS: Final = "keys"

CLIENT_EVENTS: dict[str, ClientEvent] = {
    "watch": ClientEvent(Watch, DeskView, PRACTITIONER, "Receive a desk from now on.", assists=True),
    "arrive": ClientEvent(Arrive, RoomView, EVERYONE, "Enter the room.", ROOM),
    "admit": ClientEvent(Admit, RoomView, PRACTITIONER, "Call somebody in.", ROOM),
    "call-in": ClientEvent(CallIn, Empty, LEADING, "Call somebody in without entering.", assists=True),
    "tell": ClientEvent(Tell, Empty, PRACTITIONER, "Send a canned message to somebody who waits.", assists=True),
    "write": ClientEvent(Write, Empty, PRACTITIONER, "Write to somebody who waits, in one's own words.", assists=True),
    "decline": ClientEvent(Decline, Empty, PRACTITIONER, "Do not receive somebody who waits.", assists=True),
    "put-back": ClientEvent(PutBack, Empty, LEADING, "Make somebody who is in wait again."),
    "remove": ClientEvent(Remove, Empty, LEADING, "Have somebody leave who is in."),
    "lock": ClientEvent(Lock, Empty, LEADING, "Let nobody new into the waiting room, or let them again."),
    "hand-over": ClientEvent(HandOver, Empty, PRACTITIONER, "Have a colleague who is in lead the consult too."),
    "announce": ClientEvent(Announce, Empty, PRACTITIONER, "Say to all who wait how it stands.", assists=True),
    "say": ClientEvent(Say, Empty, INVITED, "Say something to the desk while waiting.", ROOM),
    "check": ClientEvent(Check, Empty, INVITED, "Say how one's devices are, for the desk to see.", ROOM),
    "snapshot": ClientEvent(Empty, RoomView, EVERYONE, "The current view of the room.", ROOM),
    "offer": ClientEvent(Offer, Answer, EVERYONE, "Offer media; also for ICE restart and for a screen."),
    "sizes": ClientEvent(Sizes, Empty, EVERYONE, "Say what is shown how large."),
    "speak": ClientEvent(Speak, Empty, EVERYONE, "In a group: say whether one speaks."),
    "indicate": ClientEvent(Indicators, Empty, EVERYONE, "Say what is muted.", ROOM),
    "key-commit": ClientEvent(KeyCommit, Empty, EVERYONE, "Key handshake, step 1.", KEYS),
    "key-reveal": ClientEvent(KeyReveal, Empty, EVERYONE, "Key handshake, step 2.", KEYS),
    "key-wrap": ClientEvent(KeyWrap, Empty, EVERYONE, "Key handshake, step 3.", KEYS),
    "key-restart": ClientEvent(KeyRestart, Empty, EVERYONE, "Start the key handshake again.", KEYS),
    "keyframe": ClientEvent(Keyframe, Empty, EVERYONE, "Ask a sender for a key frame."),
    "chat": ClientEvent(Chat, Empty, EVERYONE, "Send an encrypted chat message."),
    "report": ClientEvent(Report, Empty, EVERYONE, "Hand in a diagnostics sample."),
    "leave": ClientEvent(Empty, Empty, EVERYONE, "Leave; when nobody is left who leads it, it ends for all.", ROOM),
}

SIGNED_OUT: Final = "signed-out"
AGENDA: Final = "agenda"
SIGHT: Final = "sight"

SERVER_EVENTS: dict[str, tuple[type[Message], str]] = {
    "welcome": (Welcome, "What both sides can; first, and only to a client that named its capabilities."),
    "replay": (Replay, "The number that the client is at; what it missed follows."),
    "room": (RoomView, "The room changed."),
    "desk": (DeskView, "Somebody came or went."),
    AGENDA: (Empty, "To who watches the desk: what is planned is more, less or another; ask REST anew."),
    SIGHT: (Empty, "To whose desk it is: others have sight of its agenda; `GET /me` has how often."),
    "slots": (Slots, "Who is in which slot."),
    "speaks": (Speaks, "In a group: somebody speaks, or no longer."),
    "key-commit": (KeyCommitted, "Key handshake, step 1, from another participant."),
    "key-reveal": (KeyRevealed, "Key handshake, step 2, from another participant."),
    "key-wrap": (KeyWrapped, "Key handshake, step 3, from another participant."),
    "chat": (ChatFrom, "An encrypted chat message."),
    "told": (Told, "A message while waiting."),
    "announced": (AnnouncedView, "To who waits: whether the practitioner is there, and how much later it gets."),
    "unencrypted": (Unencrypted, "A source was stopped because it is not encrypted."),
    "present": (Empty, "Is this page still there? Answered by an empty acknowledgement."),
    "taken-over": (Empty, "Another window took this place."),
    "ended": (Ended, "The consult is over for this participant."),
    SIGNED_OUT: (SignedOut, "Signed out, here or elsewhere, or a token was used twice; the connection is closed."),
}

REPLAYED = frozenset({"key-commit", "key-reveal", "key-wrap", "chat", "told", "unencrypted"})
"""Server events that carry a number and are sent again. Of the others each is complete in itself: the newest counts."""
