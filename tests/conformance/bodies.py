"""What may be sent: a body for each event."""

from typing import Any

GOOD: dict[str, dict[str, Any]] = {
    "watch": {},
    "arrive": {"appointment": "a", "participant": "p"},
    "admit": {"appointment": "a", "participant": "p", "me": "m"},
    "call-in": {"appointment": "a", "participant": "p"},
    "tell": {"appointment": "a", "participant": "p", "message": "soon"},
    "write": {"appointment": "a", "participant": "p", "text": "w"},
    "say": {"text": "w"},
    "decline": {"appointment": "a", "participant": "p", "message": "call-us", "text": "w"},
    "put-back": {"participant": "p"},
    "remove": {"participant": "p"},
    "lock": {"locked": False},
    "hand-over": {"participant": "p"},
    "announce": {"status": "open", "delay": 5},
    "check": {"microphone": "works", "camera": "denied"},
    "snapshot": {},
    "offer": {"fence": 1, "sdp": "v=0", "lines": [{"mid": "0", "use": "microphone"}]},
    "sizes": {"sizes": [{"slot": -1, "height": 720, "pinned": True}]},
    "speak": {"speaking": False},
    "indicate": {"microphone": True, "camera": True, "screen": False},
    "key-commit": {"epoch": 1, "version": 2, "commitment": "c" * 43},
    "key-reveal": {"epoch": 1, "key": "k" * 87, "nonce": "n" * 43, "last": ["l" * 43], "withheld": 1},
    "key-wrap": {"epoch": 1, "to": "p", "wrapped": "w" * 80},
    "key-restart": {"epoch": 1},
    "keyframe": {"participant": "p", "source": "camera"},
    "chat": {"ciphertext": "abc"},
    "report": {"at": 0},
    "leave": {},
}
"""Right in form. What they name does not exist."""

INSIDE = (
    *("offer", "sizes", "speak", "remove", "lock", "hand-over"),
    *("key-commit", "key-reveal", "key-wrap", "key-restart", "keyframe", "chat"),
)
"""Events of those who are in a consult."""
