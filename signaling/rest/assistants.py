"""For whom an assistant works."""

from signaling.protocol.rest import ServedList, ServedView
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE


async def served(call: Call) -> ServedList:
    """Each by the name that they show; what cannot be read has none."""
    found = await call.request.app[STORE].assistants.served(call.scope)
    return ServedList(
        practitioners=[
            ServedView(
                practitioner=one.engagement.owner,
                display_name=one.name,
                label=one.engagement.label,
                admits=one.engagement.admits,
            )
            for one in found
        ]
    )
