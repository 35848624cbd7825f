"""What happens around every request: errors in one form, no requests from other sites, numbers for the operator."""

import logging
from asyncio import BaseTransport
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from time import perf_counter
from typing import Final

from aiohttp import ClientConnectionResetError, hdrs, web
from aiohttp.http_exceptions import PayloadEncodingError
from redis.exceptions import RedisError

from media.control import MediaUnavailable
from signaling.addresses import origins
from signaling.protocol.errors import ProtocolError, SpreekkamerError, UserError, WireError, http_status, to_wire
from signaling.protocol.rest import Failure
from signaling.rest.endpoint import answer
from signaling.typedefs import METRICS, SETTINGS

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SAFE: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
HTTP_CODES: Final = {404: "unknown_route", 405: "method_not_allowed", 413: "too_large"}


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time requests by route pattern."""
    start, status = perf_counter(), 500
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        numbers, route = request.app[METRICS], route_pattern(request)
        method = request.method if request.method in METHODS else "other"
        numbers.requests.labels(method, route, str(status)).inc()
        if status != HTTPStatus.SWITCHING_PROTOCOLS:
            numbers.seconds.labels(route).observe(perf_counter() - start)


@web.middleware
async def errors_to_wire(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure leaves as ``{"error": {code, category, message}}``; redirects and pages pass."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400 or error.content_type == "text/html":
            raise
        wire = to_wire(ProtocolError(HTTP_CODES.get(error.status, "invalid")))
        response = failure(wire, error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except (web.RequestPayloadError, PayloadEncodingError):
        return failure(to_wire(ProtocolError("invalid")))
    except (RedisError, MediaUnavailable) as error:
        logger.warning("a part did not answer", extra={"route": route_pattern(request)}, exc_info=error)
        return failure(to_wire(UserError("try_again")))
    except (SpreekkamerError, Exception) as error:
        if hung_up(error, request.transport):
            raise
        wire = to_wire(error)
        if wire.code == "internal":
            logger.exception("a request failed", extra={"route": route_pattern(request), "method": request.method})
        return failure(wire)


def hung_up(error: BaseException | None, transport: BaseTransport | None) -> bool:
    """Whether it says that the client went away before its answer."""
    closed = transport is None or transport.is_closing()
    return isinstance(error, ClientConnectionResetError) or (isinstance(error, ConnectionError) and closed)


@web.middleware
async def same_site(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page sends (the algorithm of Go's CrossOriginProtection).

    Browsers say where a request comes from: Sec-Fetch-Site, older ones Origin. A client that says neither is no
    browser; it may not use a cookie then.
    """
    if request.method not in SAFE and not _allowed(request):
        raise ProtocolError("origin_refused")
    return await handler(request)


def _allowed(request: web.Request) -> bool:
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if origin is not None:
        return origin in origins(request.app[SETTINGS]) and site in (None, "same-origin")
    if site is not None:
        return site == "same-origin"
    return not request.cookies


def failure(wire: WireError, status: int | None = None) -> web.Response:
    """The wire form of an error as an HTTP answer."""
    response = answer(Failure(error=wire), status or http_status(wire))
    if wire.retry_after is not None:
        response.headers["Retry-After"] = str(wire.retry_after)
    return response


def route_pattern(request: web.Request) -> str:
    """``/api/v1/appointments/{appointment}``, never the address itself."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"
