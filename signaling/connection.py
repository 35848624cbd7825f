"""One connection of an HTTP client: bounds on its time, and our words for what never becomes a request (S-12).

aiohttp waits without end for headers and for a client that does not read. What it refuses by itself it answers with its
version, Python's and a part of the input, and with a traceback in the log.
"""

import asyncio
import fcntl
import logging
import struct
import sys
import termios
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from signaling.middlewares import HTTP_CODES, failure, hung_up
from signaling.protocol.errors import ProtocolError, UserError, to_wire
from signaling.typedefs import METRICS

logger = logging.getLogger(__name__)

HEADER_SECONDS: Final = 10.0
WRITE_SECONDS: Final = 15.0
WRITE_BYTES: Final = 8_192
"""A client takes so much of what waits for it in each ``WRITE_SECONDS``, or all of it: 4 kbit/s."""

TOO_MANY: Final = "Too many headers received"


class Connection(RequestHandler):
    """Closes a connection whose request headers are not complete in time, or whose client does not take its answers.

    ``_request_count`` rises with each complete header block.
    """

    __slots__ = ("_app", "_header_timer", "_left", "_write_timer", "_writer")

    def __init__(self, manager: web.Server, *, app: web.Application, **options: Any) -> None:
        super().__init__(manager, **options)
        self._app = app
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._writer: asyncio.Transport | None = None
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # aiohttp forgets its transport when it closes it, with what was not sent yet still in it.
        self._writer = self.transport
        if self._writer is not None:
            self._writer.set_write_buffer_limits(high=0)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        if self._upgraded:
            super().data_received(data)
            return
        before, busy = self._request_count, self._current_request is not None
        super().data_received(data)
        if self._request_count != before:
            self._stop_header_timer()
        elif not busy and self._header_timer is None:
            self._await_headers()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_header_timer()
        self._stop_write_timer()
        self._writer = None
        super().connection_lost(exc)

    # --- deadlines ---------------------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """Something could not be sent at once."""
        super().pause_writing()
        self._left = self._unsent()
        self._await_reader()

    def resume_writing(self) -> None:
        """All was taken by the system."""
        self._stop_write_timer()
        super().resume_writing()

    def _await_headers(self) -> None:
        self._header_timer = self._loop.call_later(HEADER_SECONDS, self.force_close)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _await_reader(self) -> None:
        self._write_timer = self._loop.call_later(WRITE_SECONDS, self._look_at_reader)

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _look_at_reader(self) -> None:
        before, self._left = self._left, self._unsent()
        if before - self._left >= WRITE_BYTES:
            self._await_reader()
        elif self._writer is not None:
            logger.info("a client did not read its answers and was cut off")
            self._writer.abort()

    def _unsent(self) -> int:
        """Bytes that the client has not acknowledged: of ours, and on Linux of what the system took."""
        if self._writer is None:
            return 0
        waiting = self._writer.get_write_buffer_size()
        with suppress(OSError):
            (taken,) = struct.unpack(
                "i", fcntl.ioctl(self._writer.get_extra_info("socket"), termios.TIOCOUTQ, b"\0" * 4)
            )
            waiting += taken
        return waiting

    # --- refusals ----------------------------------------------------------------------------------------------------

    async def _handle_request(
        self,
        request: BaseRequest,
        start_time: float | None,
        request_handler: Callable[[BaseRequest], Awaitable[web.StreamResponse]],
    ) -> tuple[web.StreamResponse, bool]:
        """With our words for what aiohttp raises outside of our middlewares (``Expect``)."""

        async def handler(request: BaseRequest) -> web.StreamResponse:
            try:
                return await request_handler(request)
            except web.HTTPException as error:
                if error.status < HTTPStatus.BAD_REQUEST:
                    raise
                return await self._refusal(request, error.status)

        return await super()._handle_request(request, start_time, handler)

    def _make_error_handler(self, err_info: Any) -> Callable[[BaseRequest], Awaitable[web.StreamResponse]]:
        """For what the parser refuses."""
        error: BaseException = err_info.exc
        long = isinstance(error, LineTooLong) or (isinstance(error, BadHttpMessage) and error.args == (TOO_MANY,))
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if long else HTTPStatus.BAD_REQUEST

        async def handler(request: BaseRequest) -> web.StreamResponse:
            return await self._refusal(request, status)

        return handler

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """For what breaks around our middlewares: a fault of ours, unless the client has hung up."""
        if exc is not None and hung_up(exc, self.transport):
            raise exc
        logger.error("a request failed outside of its handler", exc_info=exc or sys.exception())
        if request.writer.output_size > 0:
            raise ConnectionError
        response = failure(to_wire(UserError("internal")), HTTPStatus.INTERNAL_SERVER_ERROR)
        response.force_close()
        return response

    def log_exception(self, *_: Any, **__: Any) -> None:
        """Of what aiohttp gives up after an answer: the rest of a body that is none is no news."""
        if not isinstance(error := sys.exception(), web.RequestPayloadError):
            logger.error("a connection failed", exc_info=error)

    async def _refusal(self, request: BaseRequest, status: int) -> web.Response:
        logger.info("a request was refused before it was one", extra={"status": int(status)})
        self._app[METRICS].requests.labels("other", "unknown", str(int(status))).inc()
        response = failure(to_wire(ProtocolError(HTTP_CODES.get(status, "invalid"))), status)
        response.force_close()
        if getattr(request, "_match_info", None) is None:
            # Only for what a route was looked up for does aiohttp ask who adds headers.
            await self._app.on_response_prepare.send(request, response)  # type: ignore[arg-type]  # it is a Request
        return response
