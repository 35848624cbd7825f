"""What a worker writes to standard error: nothing that came over the network."""

import logging
import sys
import traceback
from types import TracebackType


class PlainFormatter(logging.Formatter):
    """Level, logger and a constant message; of an exception its class and where it came from, not its text.

    Texts of exceptions quote what they could not parse: addresses, descriptions, ids.
    """

    def format(self, record: logging.LogRecord) -> str:
        own = record.name.startswith("media")
        text = f"{record.levelname} {record.name} {record.msg if own else 'message withheld'}"
        if record.exc_info and record.exc_info[0] is not None:
            text += "\n" + self.formatException(record.exc_info)
        return text

    def formatException(  # noqa: N802 - overrides
        self, ei: tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
    ) -> str:
        kind, _, trace = ei
        frames = traceback.extract_tb(trace)
        places = [f"  {frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        return "\n".join([*places, f"  {kind.__name__ if kind else 'exception'}"])


def configure() -> None:
    """To be called once, in the worker process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
