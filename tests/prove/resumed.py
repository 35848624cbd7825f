"""A pytest plugin for measuring: tasks that hear of a failure where they wait, not by having it thrown into them.

Python 3.11 says nothing to a tracer when coroutines that await each other go on after ``throw()``, so what they do then
would count as never run. A future that is asked
for its result raises the same exception from the inside, and everything is seen.
"""

import asyncio
from typing import Any


class Task(asyncio.tasks._PyTask):  # type: ignore[name-defined,misc]  # the one in Python: its methods can be replaced
    """As asyncio's own, a little slower."""

    def _Task__wakeup(self, _future: Any) -> None:  # noqa: N802 -- the name that its base class gave it
        self._Task__step()


asyncio.tasks.Task = asyncio.Task = Task  # type: ignore[misc]  # loops look the name up each time
