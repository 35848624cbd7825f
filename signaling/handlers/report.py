"""Diagnostics of a connection, as its browser saw it."""

from signaling.consults import Consults
from signaling.placement import Recorder
from signaling.protocol.model import Empty
from signaling.protocol.report import Report
from signaling.sockets.socket import Socket


class Reports:
    def __init__(self, consults: Consults, diagnostics: Recorder) -> None:
        self._consults = consults
        self._diagnostics = diagnostics

    async def report(self, socket: Socket, body: Report) -> Empty:
        """Keep one sample for what is left of its 24 hours."""
        consult, me = await self._consults.seats.inside(socket)
        agent = {"browser": socket.agent.browser, "device": socket.agent.device}
        sample = body.model_dump(exclude={"at"}, exclude_none=True) | agent | {"role": me.role}
        await self._diagnostics.record(consult.appointment, me.id, sample, body.at)
        return Empty()
