"""Log lines that cannot tell who talked to whom: an allow-list decides what may leave the process.

    logger = logging.getLogger(__name__)
    logger.warning("a media worker is gone", extra={"worker": worker, "count": rooms})

**A line holds the constant message, allow-listed fields with values of an allowed shape, and of an exception its type,
its stable code and where it happened; never its text.** Of other people's libraries only that and the place in their
code: their messages hold addresses, payloads and SQL.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from math import inf
from time import monotonic
from types import TracebackType
from typing import Final, Literal, TextIO

OURS: Final = frozenset(
    {"spreekkamer", "client", "media", "operate", "practice", "rooms", "signaling", "turn", "vault", "web", "__main__"}
)
"""Top-level loggers whose constant messages are written out."""

CAPPED: Final = (
    *("socketio", "engineio", "aiortc", "aioice", "aiohttp", "asyncio"),
    *("sqlalchemy", "aiosqlite", "alembic", "redis", "fakeredis"),
)
"""Libraries that say nothing below a warning, whatever the level."""

REDACTED: Final = "[redacted]"

WORD: Final = re.compile(r"[a-z][a-z0-9_-]{0,47}")
ROUTE: Final = re.compile(r"/[a-z0-9_./{}-]{0,79}")
WORKER: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")

FIELDS: Final[Mapping[str, type[float] | type[bool] | re.Pattern[str]]] = {
    "age": float,
    "attempt": float,
    "bytes": float,
    "cause": WORD,
    "check": WORD,
    "code": WORD,
    "count": float,
    "duration_ms": float,
    "event": WORD,
    "exit_code": float,
    "fence": float,
    "generation": float,
    "kind": WORD,
    "lag": float,
    "limit": float,
    "method": re.compile(r"[A-Z]{3,7}"),
    "ok": bool,
    "peers": float,
    "pid": float,
    "port": float,
    "role": WORD,
    "repeated": float,
    "rooms": float,
    "route": ROUTE,
    "seconds": float,
    "source": WORD,
    "state": WORD,
    "status": float,
    "version": float,
    "worker": WORKER,
}
"""What may stand beside the message: numbers, words of our own code, route patterns. No id of a person or a consult."""

SECONDS_BETWEEN: Final = 1.0
MOST_LINES: Final = 1_000

STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Pii:
    """A value about a person that must not be shown: it prints as ``[redacted]`` wherever it goes."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def reveal(self) -> object:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return REDACTED


def allowed(name: str, value: object) -> object:
    """The value if its field allows it, else ``[redacted]``."""
    shape = FIELDS[name]
    if isinstance(shape, re.Pattern):
        return value if isinstance(value, str) and shape.fullmatch(value) else REDACTED
    if shape is bool:
        return value if isinstance(value, bool) else REDACTED
    return round(value, 3) if isinstance(value, int | float) and not isinstance(value, bool) else REDACTED


def described(record: logging.LogRecord) -> dict[str, object]:
    """All that a line may say of this record, ready for JSON."""
    line: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name if re.fullmatch(r"[A-Za-z0-9_.]{1,80}", record.name) else REDACTED,
    }
    if record.name.partition(".")[0] in OURS:
        line["message"] = record.msg if isinstance(record.msg, str) else REDACTED
        line |= {name: allowed(name, value) for name, value in vars(record).items() if name in FIELDS}
        if hidden := sum(name not in FIELDS and name not in STANDARD for name in vars(record)):
            line["hidden_fields"] = hidden
    else:
        line["message"] = "a library says something"
        line["place"] = f"{record.module}:{record.lineno}"
    if record.exc_info and record.exc_info[1]:
        line["error"] = exception(record.exc_info[1])
        line["traceback"] = frames(record.exc_info[2])
    return line


def exception(error: BaseException) -> str:
    """Type and, if it has one, stable code; the text of an exception may quote what a person typed."""
    code = getattr(error, "code", None)
    name = type(error).__qualname__
    if isinstance(code, str) and WORD.fullmatch(code):
        name = f"{name}({code})"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{name} from {type(cause).__qualname__}" if cause else name


def frames(trace: TracebackType | None) -> list[str]:
    """``module:line function`` of each frame, outermost first; no path of the machine, no source, no values."""
    return [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(trace)
    ]


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(described(record), ensure_ascii=True)


class HumanFormatter(logging.Formatter):
    """Short lines for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        line = described(record)
        head = f"{str(line.pop('time'))[11:19]} {line.pop('level')!s:<7} {line.pop('logger')}: {line.pop('message')}"
        trace = line.pop("traceback", None)
        text = " ".join([head, *(f"{name}={value}" for name, value in line.items())])
        if isinstance(trace, list):
            text += "".join(["\n    Traceback:", *(f"\n      {frame}" for frame in trace)])
        return "".join(character if character.isprintable() or character == "\n" else "�" for character in text)


class Handler(logging.StreamHandler[TextIO]):
    """Writes to a stream; a line that cannot be formatted is lost in silence, never shown half-filtered."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the name is logging's
        pass


class Sparse:
    """Lets a line pass once a second, and says with the next how often it was not written.

    The same line: of one place in the code, with the same words beside it. Numbers may differ.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last: dict[Hashable, tuple[float, int]] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        """Whether it may be written; ``repeated`` is added to what may."""
        words = tuple(
            value for name, value in sorted(vars(record).items()) if name in FIELDS and isinstance(value, str)
        )
        error = exception(record.exc_info[1]) if record.exc_info and record.exc_info[1] else None
        line, now = (record.name, record.pathname, record.lineno, words, error), self._clock()
        before, held = self._last.get(line, (-inf, 0))
        if now - before < SECONDS_BETWEEN:
            self._last[line] = before, held + 1
            return False
        if held:
            record.repeated = held
        if len(self._last) >= MOST_LINES:
            self._last.clear()
        self._last[line] = now, 0
        return True


def not_of_who_hung_up(record: logging.LogRecord) -> bool:
    """Whether a record of aiohttp tells of more than a client that was gone before its answer."""
    return not (record.exc_info and isinstance(record.exc_info[1], ConnectionResetError))


def configure(form: Literal["json", "human"], level: str, stream: TextIO | None = None) -> None:
    """Send everything that this process logs, warns of or dies from through the filter."""
    handler = Handler(stream or sys.stderr)
    handler.addFilter(Sparse())
    handler.setFormatter(JsonFormatter() if form == "json" else HumanFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("aiohttp.server").addFilter(not_of_who_hung_up)
    _silence_libraries()
    for name in CAPPED:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    sys.excepthook = _log_uncaught


def _silence_libraries() -> None:
    """Take away levels and handlers that libraries gave their own loggers: those handlers write past the filter."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in CAPPED:
            logger.setLevel(logging.NOTSET)
            logger.handlers.clear()
            logger.propagate = True


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("spreekkamer").critical("stopped by an unexpected error", exc_info=(kind, error, trace))
