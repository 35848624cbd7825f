"""Security headers on every response that leaves the application, whoever made it."""

from collections.abc import Iterable

from aiohttp import web

SHORT_CONTENT_SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The same policy without naming what is as by default: a page has fifty files, each with its headers."""

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-top-navigation"
)
"""A letter's page has its styles within, as mail programs want them, and nothing else: no script, form or origin."""

OURS = ("camera", "microphone")
ALLOWED = (*OURS, "display-capture", "autoplay", "fullscreen", "picture-in-picture", "screen-wake-lock")
NEVER = (
    *("geolocation", "payment", "usb", "serial", "hid", "midi", "gyroscope", "accelerometer", "magnetometer"),
    "encrypted-media",
)


def permissions(allowed: Iterable[str], never: Iterable[str]) -> str:
    return ", ".join((*(f"{feature}=(self)" for feature in allowed), *(f"{feature}=()" for feature in never)))


PERMISSIONS_POLICY = permissions(ALLOWED, NEVER)
SHORT_PERMISSIONS_POLICY = permissions(OURS, ["geolocation"])
"""For what is no document: browsers do not read it there."""

ALWAYS = {
    "Content-Security-Policy": SHORT_CONTENT_SECURITY_POLICY,
    "Permissions-Policy": SHORT_PERMISSIONS_POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Server": "spreekkamer",
}

DOCUMENT = {"Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY"}
"""What browsers read of a document alone: a page has fifty files, and the policy of each forbids frames too."""

FRAMED = web.RequestKey("FRAMED", tuple)
"""The origins whose pages may show the answer in a frame."""

OWN = ("Referrer-Policy",)
"""What a page may have of its own."""

STRICT_TRANSPORT_SECURITY = "max-age=31536000; includeSubDomains"


def attach(app: web.Application, *, tls: bool) -> None:
    """Put the headers on every response of ``app``. ``tls``: browsers reach it over https, be it through a proxy."""

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        is_letter = response.headers.get("Content-Security-Policy") == LETTER_POLICY
        response.headers.update(
            {name: value for name, value in ALWAYS.items() if name not in OWN or name not in response.headers}
        )
        if response.content_type == "text/html":
            response.headers.update(DOCUMENT)
            response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
            response.headers["Content-Security-Policy"] = LETTER_POLICY if is_letter else CONTENT_SECURITY_POLICY
            if ancestors := request.get(FRAMED):
                del response.headers["X-Frame-Options"]  # it knows nobody but all or none
                response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
                    "frame-ancestors 'none'", f"frame-ancestors {' '.join(ancestors)}"
                )
        response.headers.setdefault("Cache-Control", "no-store")
        if tls or request.secure:
            response.headers["Content-Security-Policy"] += "; upgrade-insecure-requests"
            response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY

    app.on_response_prepare.append(on_prepare)
