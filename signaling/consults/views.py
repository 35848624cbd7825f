"""What one participant may know of a room, and a practitioner of the desk."""

from dataclasses import asdict

from rooms.consult_state import PRACTITIONER, Consult, Participant
from rooms.live import DeskState
from signaling.protocol.events import (
    DeskView,
    IceServer,
    KeyMember,
    KeysView,
    MediaView,
    ParticipantView,
    RoomView,
    WaitingView,
)


def room_view(consult: Consult, me: Participant, resume: str, ice_servers: list[IceServer]) -> RoomView:
    """The room as ``me`` may see it.

    Whoever waits sees nobody; the practitioner sees everybody; others see who is in.
    """
    if me.seat == PRACTITIONER:
        others = [one for one in consult.participants if one.id != me.id]
    else:
        others = [one for one in consult.admitted if me.admitted and one.id != me.id]
    return RoomView(
        version=consult.version,
        appointment=consult.appointment,
        me=participant_view(me),
        others=[participant_view(one) for one in others],
        media=media_view(consult, ice_servers) if me.admitted else None,
        keys=keys_view(consult) if me.admitted else None,
        resume=resume,
    )


def participant_view(one: Participant) -> ParticipantView:
    return ParticipantView.model_validate(
        {
            "participant": one.id,
            "role": one.role,
            "state": "admitted" if one.admitted else "waiting",
            "connected": one.socket is not None,
            "media": one.media,
            "indicators": asdict(one.indicators),
            "unusable": list(one.unusable),
        }
    )


def media_view(consult: Consult, ice_servers: list[IceServer]) -> MediaView:
    return MediaView(
        fence=consult.fence, ready=consult.ready, slots=max(1, consult.capacity - 1), ice_servers=ice_servers
    )


def keys_view(consult: Consult) -> KeysView | None:
    """None until there are two to agree on something."""
    members = consult.admitted
    if len(members) < 2:
        return None
    return KeysView(
        epoch=consult.epoch,
        members=[KeyMember.model_validate({"participant": one.id, "role": one.role}) for one in members],
    )


def desk_view(desk: DeskState) -> DeskView:
    waiting = [
        WaitingView.model_validate(
            {
                "appointment": one.appointment,
                "participant": one.participant,
                "role": one.role,
                "since": one.since,
                "connected": one.connected,
                "indicators": asdict(one.indicators),
            }
        )
        for one in desk.waiting
    ]
    return DeskView(version=desk.version, waiting=waiting, in_consult=desk.in_consult)
