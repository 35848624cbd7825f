"""What can go wrong for a client.

Exception
├── ClientError(code)
│   ├── Refusal       the server said no; ``code`` is from the protocol's catalogue
│   └── Offline       there is no server, no connection, or no answer in time
├── E2eeError         (e2ee) what came does not authenticate
└── TamperingError    (handshake) somebody did not keep to the handshake
"""


class ClientError(Exception):
    """``code`` is stable."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class Refusal(ClientError):  # noqa: N818 -- the answer, not our failure
    """The server said no."""


class Offline(ClientError):  # noqa: N818 -- a state, whoever is to blame
    """Whether what was asked for has happened is not known."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("offline", detail)
