"""Dying before a step that changes a disk. Imports little: each test of the key store starts a process with it."""

import os
import signal
from typing import Any


class Killer:
    """Counts steps and dies before one of them."""

    def __init__(self, fatal: int) -> None:
        self.step = 0
        self.fatal = fatal
        self.armed = False

    def count(self, *_: object) -> None:
        self.step += self.armed
        if self.step > self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def counted(killer: Killer, owner: Any, name: str) -> None:
    plain = getattr(owner, name)

    def count_first(*args: Any, **kwargs: Any) -> Any:
        killer.count()
        return plain(*args, **kwargs)

    setattr(owner, name, count_first)
