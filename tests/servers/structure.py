"""What an IMAP server says that a message consists of (RFC 9051, 7.5.2), in Dovecot's words, and parts of one."""

from email import message_from_bytes
from email.message import Message
from email.policy import compat32


def quoted(text: object) -> bytes:
    """A string, or NIL."""
    if text is None or text == "":
        return b"NIL"
    plain = str(text).encode("utf-8", "replace")
    if b'"' in plain or b"\\" in plain or b"\n" in plain:
        return b"{%d}\r\n%s" % (len(plain), plain)
    return b'"%s"' % plain


def parameters(message: Message, header: str = "content-type") -> bytes:
    found = message.get_params([], header=header, unquote=True)[1:]
    if not found:
        return b"NIL"
    return b"(%s)" % b" ".join(quoted(one) for pair in found for one in pair)


def disposition(message: Message) -> bytes:
    kind = message.get_content_disposition()
    return b"(%s %s)" % (quoted(kind), parameters(message, "content-disposition")) if kind else b"NIL"


def structure(raw: bytes) -> bytes:
    return of(message_from_bytes(raw, policy=compat32))


def of(message: Message) -> bytes:
    main, sub, payload = message.get_content_maintype(), message.get_content_subtype(), message.get_payload()
    if main == "multipart" and isinstance(payload, list):
        inside = b"".join(of(one) for one in payload if isinstance(one, Message))
        return b"(%s %s %s NIL NIL NIL)" % (inside, quoted(sub), parameters(message))
    body = message.get_payload(decode=False)
    size = len(str(body))
    head = b"(%s %s %s NIL NIL %s %d" % (
        *(quoted(main), quoted(sub), parameters(message)),
        *(quoted(message.get("content-transfer-encoding", "7bit")), size),
    )
    if main == "message" and sub == "rfc822" and isinstance(payload, list) and isinstance(payload[0], Message):
        envelope = b'("Mon, 30 Nov 2026 10:00:00 +0100" %s NIL NIL NIL NIL NIL NIL NIL NIL)' % quoted(
            payload[0].get("subject")
        )
        return head + b" %s %s 10 NIL %s NIL NIL)" % (envelope, of(payload[0]), disposition(message))
    lines = b" %d" % str(body).count("\n") if main == "text" else b""
    return head + lines + b" NIL %s NIL NIL)" % disposition(message)


def section(raw: bytes, name: str) -> bytes:
    """The bytes of one, as they stand there."""
    message = message_from_bytes(raw, policy=compat32)
    if name.startswith("HEADER.FIELDS"):
        wanted = name.partition("(")[2].rstrip(")").lower().split()
        lines = [f"{key}: {value}\r\n" for key, value in message.raw_items() if key.lower() in wanted]
        return ("".join(lines) + "\r\n").encode("utf-8", "surrogateescape")
    for number in name.split("."):
        payload = message.get_payload()
        if isinstance(payload, list) and message.get_content_maintype() == "multipart":
            found = payload[int(number) - 1]
            assert isinstance(found, Message)
            message = found
    return str(message.get_payload()).encode("utf-8", "surrogateescape")
