"""No address, name, mail, link or SDP in any log line, at any level."""

import ast
import asyncio
import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator

import aiohttp
import pytest
import socketio

from signaling import logs
from signaling.logs import REDACTED, Pii
from signaling.tickets import Claims
from signaling.typedefs import TICKETS
from tests.ours import FOLDERS, ROOT
from tests.signaling.conftest import PASSWORD, Server
from vault.errors import DomainError

LEVELS = ["debug", "info", "warning", "error"]
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


@pytest.fixture(params=["json", "human"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stream(form: str) -> Iterator[io.StringIO]:
    """What the process would write, at the most talkative level."""
    before, hook = logging.root.handlers[:], sys.excepthook
    level, levels = logging.root.level, {name: logging.getLogger(name).level for name in logs.CAPPED}
    written = io.StringIO()
    logs.configure("json" if form == "json" else "human", "debug", written)
    yield written
    logging.captureWarnings(capture=False)
    logging.root.handlers[:], sys.excepthook = before, hook
    logging.getLogger("aiohttp.server").removeFilter(logs.not_of_who_hung_up)
    logging.root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


def test_a_field_that_is_not_on_the_list_is_dropped(stream: io.StringIO) -> None:
    logging.getLogger("signaling.x").warning(
        "a thing happened", extra={"patient": "Canary", "code": "gone", "count": 3}
    )
    line = stream.getvalue()
    assert "Canary" not in line
    assert "gone" in line
    assert "a thing happened" in line


@pytest.mark.parametrize(
    "value",
    ["Jan Jansen", "10.1.2.3", "::1", "jan@example.org", "x\ny", "/c#secret", "A1b2C3d4", {"a": 1}, b"x", "a" * 60],
)
def test_an_allowed_field_takes_only_words_of_our_own(stream: io.StringIO, value: object) -> None:
    logging.getLogger("rooms").info("seen", extra={"state": value, "count": value, "method": value})
    assert str(value) not in stream.getvalue()
    assert REDACTED in stream.getvalue()


def test_arguments_of_a_message_are_not_written(stream: io.StringIO) -> None:
    logging.getLogger("signaling").error("from %s", "10.1.2.3")
    assert "10.1.2.3" not in stream.getvalue()


def test_a_client_that_was_gone_before_its_answer_is_no_error(stream: io.StringIO) -> None:
    library = logging.getLogger("aiohttp.server")
    for error in (aiohttp.ClientConnectionResetError(), ValueError()):
        try:
            raise error
        except (ConnectionResetError, ValueError):
            library.exception("Error handling request")
    assert "Reset" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def failing() -> None:
    try:
        raise ValueError("canary@example.org")
    except ValueError as error:
        raise DomainError("gone") from error


def test_an_exception_is_its_type_its_code_and_its_place(stream: io.StringIO, form: str) -> None:
    try:
        failing()
    except DomainError:
        logging.getLogger("rooms").exception("it failed")
    line = stream.getvalue()
    assert "canary" not in line
    assert "DomainError(gone) from ValueError" in line
    assert "test_an_exception_is_its_type_its_code_and_its_place" in line
    if form == "json":
        assert line.count("\n") == 1


@pytest.mark.parametrize(
    "name", ["aiohttp.server", "socketio.server", "engineio.server", "aiortc", "aioice.ice", "asyncio"]
)
@pytest.mark.parametrize("level", LEVELS)
def test_libraries_say_where_but_not_what(stream: io.StringIO, name: str, level: str) -> None:
    getattr(logging.getLogger(name), level)("canary %s", "10.1.2.3")
    line = stream.getvalue()
    assert "canary" not in line
    assert "10.1.2.3" not in line
    assert bool(line) == (level in ("warning", "error"))


def test_a_handler_of_a_library_does_not_write_past_the_filter(capfd: pytest.CaptureFixture[str], form: str) -> None:
    """python-socketio 5.18 and python-engineio 4.13 give their default loggers a level and a handler of their own."""
    before, hook, level = logging.root.handlers[:], sys.excepthook, logging.root.level
    socketio.AsyncServer(logger=True, engineio_logger=True)
    try:
        logs.configure("json" if form == "json" else "human", "debug", written := io.StringIO())
        for name in ("socketio.server", "engineio.server"):
            logging.getLogger(name).warning("canary %s", "10.1.2.3")
    finally:
        logging.captureWarnings(capture=False)
        logging.getLogger("aiohttp.server").removeFilter(logs.not_of_who_hung_up)
        logging.root.handlers[:], sys.excepthook = before, hook
        logging.root.setLevel(level)
    assert written.getvalue().count("a library says something") == 2
    assert "canary" not in capfd.readouterr().err + written.getvalue()


def test_a_line_break_or_an_escape_stays_in_one_line(stream: io.StringIO, form: str) -> None:
    logging.getLogger("rooms").warning("one\x1b[31m \r two", extra={"kind": "x\r\ny"})
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert "\r" not in line
    if form == "json":
        assert json.loads(line)["kind"] == REDACTED


def test_pii_never_prints() -> None:
    name = Pii("Jan Jansen")
    assert {str(name), repr(name), f"{name:>20}", "%s" % name, str([name])} == {REDACTED, f"[{REDACTED}]"}  # noqa: UP031 -- one way more to write a name
    assert name.reveal() == "Jan Jansen"


def test_what_ends_the_process_goes_through_the_filter(stream: io.StringIO) -> None:
    with pytest.raises(DomainError) as caught:
        failing()
    sys.excepthook(caught.type, caught.value, caught.tb)
    assert "canary" not in stream.getvalue()
    assert "DomainError(gone)" in stream.getvalue()


def test_warnings_go_through_the_filter(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("canary 10.1.2.3", stacklevel=1)
    assert "canary" not in stream.getvalue()


def test_every_message_in_our_code_is_a_constant_without_arguments() -> None:
    """A message that is put together may hold anything; a filter at run time cannot know."""
    found = []
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            calls = [node for node in ast.walk(ast.parse(file.read_text())) if is_log_call(node)]
            found += [f"{file.relative_to(ROOT)}: {ast.unparse(call)}" for call in calls if not is_constant(call)]
    assert found == []


def test_every_field_in_our_code_is_on_the_list() -> None:
    """Else it would be dropped without a word, and somebody would miss it in the night."""
    found = []
    for folder in set(FOLDERS) - {"media"}:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                found += [f"{file.relative_to(ROOT)} {name}" for name in extra_fields(node) - set(logs.FIELDS)]
    assert found == []


def extra_fields(node: ast.AST) -> set[str]:
    """The names in ``extra={…}`` of a log call."""
    if not isinstance(node, ast.Call) or not is_log_call(node):
        return set()
    given = [keyword.value for keyword in node.keywords if keyword.arg == "extra"]
    return {ast.literal_eval(key) for extra in given if isinstance(extra, ast.Dict) for key in extra.keys if key}


def is_log_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in METHODS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("log", "logger")
    )


def is_constant(node: ast.AST) -> bool:
    assert isinstance(node, ast.Call)
    return len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)


CANARY = "Zqcanary"
CANARIES = [CANARY, CANARY.lower(), "203.0.113.77", "127.0.0.1", "correct horse", "alice", "Alice"]


async def every_input(server: Server) -> None:
    """A canary in every field, header, path, query and event that a client can send, also when handling it fails."""
    who = f"{CANARY}@example.org"
    headers = {
        "User-Agent": CANARY,
        "X-Forwarded-For": "203.0.113.77",
        "Referer": f"http://x/{CANARY}",
        "Cookie": CANARY,
    }
    await server.sign_in("alice")
    plan = {"patient": CANARY, "starts_at": "2027-03-01T09:00:00+01:00", "minutes": 30, "language": "nl"}
    made = await server.call("POST", "/api/v1/appointments", plan, who="alice")
    for method, path, body in [
        ("POST", "/api/v1/sign-in", {"mail": who, "password": CANARY}),
        ("POST", "/api/v1/sign-in", {"mail": who, "password": CANARY, CANARY: CANARY}),
        ("POST", "/api/v1/sign-in/link", {"token": CANARY * 4}),
        ("POST", "/api/v1/join", {"link": CANARY}),
        ("POST", "/api/v1/join", {"link": made.body["link"].partition("#")[2]}),
        ("POST", "/api/v1/join", b"{" + CANARY.encode()),
        ("GET", f"/api/v1/{CANARY}?x={CANARY}#{CANARY}", None),
        ("GET", f"/api/v1/appointments/{CANARY}", None),
        ("GET", f"/api/v1/appointments?first={CANARY}", None),
        (CANARY.upper(), "/api/v1/me", None),
    ]:
        await server.call(method, path, body, headers=headers)
        await server.call(method, path, body, who="alice")
    broken = type("Broken", (), {"__getattr__": lambda *_: raises})()
    for part in ("appointments", "practitioners", "sessions"):
        real = getattr(server.store, part)
        object.__setattr__(server.store, part, broken)
        for path in ("/api/v1/me", "/api/v1/appointments", f"/api/v1/appointments/{CANARY}"):
            await server.call("GET", path, who="alice", headers={"User-Agent": CANARY})
        await server.call("POST", "/api/v1/join", {"link": "A" * 44})
        object.__setattr__(server.store, part, real)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET /{CANARY} HTTP/9.9 {CANARY}\r\n{CANARY}\r\n\r\n".encode())
    await reader.read()
    writer.close()
    await writer.wait_closed()
    await every_event(server, made.body["appointment"])


def raises(*_: object, **__: object) -> None:
    raise RuntimeError(f"{CANARY} at 203.0.113.77")


async def every_event(server: Server, appointment: str) -> None:
    """The same over Socket.IO, with and without a good token."""
    async with aiohttp.ClientSession() as session:
        for token in (CANARY, server.app[TICKETS].issue(claims(server, appointment))):
            client = socketio.AsyncClient(reconnection=False, http_session=session)
            try:
                auth = {"version": 1, "token": token}
                await client.connect(
                    server.origin, headers={"Origin": server.origin}, auth=auth, transports=["websocket"]
                )
            except socketio.exceptions.ConnectionError:
                continue
            for event, body in [
                ("arrive", {"appointment": appointment, "participant": CANARY * 2}),
                (
                    "offer",
                    {"fence": 0, "sdp": f"c=IN IP4 203.0.113.77 {CANARY}", "lines": [{"mid": "0", "use": "slot"}]},
                ),
                ("chat", {"ciphertext": CANARY}),
                (CANARY, {CANARY: CANARY}),
                ("report", {"at": 1, "candidate": CANARY}),
                ("tell", {"appointment": CANARY}),
            ]:
                await client.call(event, body, timeout=30)
            await client.disconnect()


def claims(server: Server, appointment: str) -> Claims:
    expires = server.app[TICKETS].expires_in(60)
    return Claims(kind="access", role="patient", appointment=appointment, seat="patient", expires=expires)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_canaries_in_every_input_are_in_no_line(
    server: Server, stream: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    await every_input(server)
    out, err = capfd.readouterr()
    written = stream.getvalue() + out + err
    assert "RuntimeError" in stream.getvalue()
    assert [canary for canary in CANARIES if canary in written] == []
    assert PASSWORD not in written
    metrics = await server.call("GET", "/metrics")
    assert [canary for canary in CANARIES if canary in metrics.body] == []


def test_the_same_line_comes_once_a_second_and_says_how_often() -> None:
    now = [0.0]
    stream = io.StringIO()
    handler = logs.Handler(stream)
    handler.setFormatter(logs.JsonFormatter())
    handler.addFilter(logs.Sparse(lambda: now[0]))
    log = logging.getLogger("signaling.of-this-test")
    log.addHandler(handler)
    log.propagate = False
    for step in range(1000):
        now[0] = step * 0.0015
        log.warning("too many files are open", extra={"count": step})
        log.warning("a part did not answer", extra={"cause": "redis" if step % 2 else "media"})
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in lines].count("too many files are open") == 2
    assert [line.get("repeated") for line in lines if "count" in line] == [None, 666]
    assert {line["cause"] for line in lines if "cause" in line} == {"redis", "media"}
