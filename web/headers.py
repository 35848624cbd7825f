"""Security headers on every response that leaves the application, whoever made it."""

from aiohttp import web

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

PERMISSIONS_POLICY = ", ".join(
    (
        *(f"{feature}=(self)" for feature in ("camera", "microphone", "display-capture", "autoplay", "fullscreen")),
        *(f"{feature}=(self)" for feature in ("picture-in-picture", "screen-wake-lock")),
        *(f"{feature}=()" for feature in ("geolocation", "payment", "usb", "serial", "hid", "midi", "gyroscope")),
        *(f"{feature}=()" for feature in ("accelerometer", "magnetometer", "encrypted-media")),
    )
)

ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Server": "spreekkamer",
}

STRICT_TRANSPORT_SECURITY = "max-age=31536000; includeSubDomains"


def attach(app: web.Application, *, tls: bool) -> None:
    """Put the headers on every response of ``app``. ``tls``: browsers reach it over https, be it through a proxy."""

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(ALWAYS)
        response.headers.setdefault("Cache-Control", "no-store")
        if tls or request.secure:
            response.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; upgrade-insecure-requests"
            response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY

    app.on_response_prepare.append(on_prepare)
