"""What can go wrong in ``vault``, ``practice`` and ``rooms``.

DomainError           carries a stable code of the wire's catalogue
├── Gone              its key was destroyed, and there is a receipt: ``gone``
├── Locked            the key store cannot be used: ``locked``
│   ├── Away          a part of it does not answer, and may again: ``locked``
│   └── Lost          its files are not there any more, while it is open: ``locked``
└── Tampered          a ciphertext is not where it was written: ``internal``
    └── Unreadable    an appointment that is there cannot be read: ``unreadable``
        └── Newer     because a newer version of the program wrote it: ``unreadable``
StartRefused          the process must not start; its text is one sentence for the operator
"""


class DomainError(Exception):
    """A refusal with a stable code of the catalogue of ``signaling.protocol``.

    ``field`` is what is wrong with ``invalid``, under the wire's name, where one field is.
    """

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


class Locked(DomainError):  # noqa: N818 -- a state, not a mistake
    """The key store is wrong, missing, older than the database or read-only.

    ``reason`` is one sentence for the operator, never for a client.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("locked")
        self.reason = reason


class Away(Locked):
    """The key store's database or OpenBao does not answer or is sealed: nothing is wrong with the keys."""


class Lost(Locked):
    """The files of a key store that is open are not there any more; what is open can still be saved."""


class Gone(DomainError):  # noqa: N818 -- a state, not a mistake
    """Destroyed: its key does not exist any more, and nothing brings it back."""

    def __init__(self) -> None:
        super().__init__("gone")


class Tampered(DomainError):  # noqa: N818 -- a state, not a mistake
    """Authenticated decryption failed: moved between rows, columns or owners, or changed."""

    def __init__(self) -> None:
        super().__init__("internal")


class Unreadable(Tampered):
    """An appointment that is there and was not destroyed cannot be read: its key or its content is damaged."""

    def __init__(self) -> None:
        DomainError.__init__(self, "unreadable")


class Newer(Unreadable):
    """A newer version of this program wrote it, in a way that this one does not know: nothing is damaged."""


class StartRefused(Exception):  # noqa: N818 -- a state, not a mistake
    """The process must not start. ``str(error)`` is one sentence that says what to do."""
