"""What can go wrong for a client.

Exception
├── ClientError(code)
│   ├── Refusal       the server said no; ``code`` is from the protocol's catalogue
│   └── Offline       there is no server, no connection, or no answer in time
├── E2eeError         (e2ee) what came does not authenticate
├── OutdatedError     (handshake) another member has another version of the encryption
└── TamperingError    (handshake) somebody did not keep to the handshake
"""


class ClientError(Exception):
    """``code`` is stable; ``field`` is what is wrong with ``invalid``, where one field is; ``challenge`` comes with
    ``factor_needed`` and goes back with the code.
    """

    def __init__(self, code: str, detail: str = "", *, field: str | None = None, challenge: str | None = None) -> None:
        super().__init__(f"{code}: {detail or field}" if detail or field else code)
        self.code = code
        self.field = field
        self.challenge = challenge


class Refusal(ClientError):  # noqa: N818 -- the answer, not our failure
    """The server said no."""


class Offline(ClientError):  # noqa: N818 -- a state, whoever is to blame
    """Whether what was asked for has happened is not known."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("offline", detail)
