"""Makes docs/vectors.json from fixed keys, nonces and texts: ``python -m tests.client.vectors``."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from client import e2ee
from client.chat import REQUEST, ChatEntry, ChatLog, compose
from client.exchange import encode
from client.keyring import ReplayWindow
from tests.ours import ROOT

FILE = ROOT / "docs" / "vectors.json"
APPOINTMENT = "QWZzcHJhYWstZWVuLXR3ZQ"
ARTS, PATIENT, GUEST = "B_arts-0000000000000a", "-patient-000000000000b", "b_gast-0000000000000c"
SECRETS = {ARTS: bytes(range(0x80, 0xA0)), PATIENT: bytes(range(0xC0, 0xE0)), GUEST: bytes(range(0xE0, 0x100))}
IVS = {ARTS: bytes(range(0x30, 0x3C)), PATIENT: bytes(range(0x40, 0x4C)), GUEST: bytes(range(0x60, 0x6C))}
NONCES = {ARTS: bytes(range(0x10, 0x30)), PATIENT: bytes(range(0x50, 0x70)), GUEST: bytes(range(0x70, 0x90))}
PRIVATE = {
    ARTS: "888e7fd99c6c67a862303d8718b9e85288c48ee4ce0023240aa5fd383661189f",
    PATIENT: "6f7866cff56553c20de1cf72b22c12cef72bf56e1d6c564b69dd470da4dc16b0",
    GUEST: sha256(b"the third of the vectors").hexdigest(),
}
ROLES = {ARTS: "practitioner", PATIENT: "patient", GUEST: "guest"}

KEY_FRAME = bytes.fromhex("5042009d012a8002e001") + bytes(range(1, 0x15))
FRAMES: tuple[tuple[str, int, int, int, int, e2ee.Kind, bytes], ...] = (
    # whose secret, epoch, index, label, counter, kind, plaintext
    (ARTS, 7, 1, 1, 0, "video", KEY_FRAME),
    (ARTS, 7, 1, 1, 1, "video", b"\x31" + bytes(range(1, 0x19))),
    (ARTS, 7, 1, 1, 255, "video", b"\x10\x42"),
    (ARTS, 7, 1, 0, 256, "audio", bytes(range(0x78, 0xA0))),
    (ARTS, 7, 1, 0, 65_536, "audio", b""),
    (PATIENT, 65_536, 0, 0, 0, "audio", b"\xf8\xff\xfe"),
    (PATIENT, 65_836, 31, 2, 2**40 + 5, "video", bytes.fromhex("11090a0b0c0d")),
)
REPLAYED = (0, 1, 0, 5, 3, 3, 70, 6, 7, 7, 69, 134, 70, 71, 2**40, 2**40, 2**40 - 63, 2**40 - 64)


def handshake(epoch: int, people: Sequence[str], before: str = "", withheld: int = 0) -> dict[str, Any]:
    """``before``: the transcript, in hexadecimal, that ARTS and PATIENT completed before; ``withheld``: PATIENT's."""
    private = {one: ec.derive_private_key(int(PRIVATE[one], 16), ec.SECP256R1()) for one in people}

    def last(one: str) -> tuple[bytes, ...]:
        others = [other for other in sorted(people, key=str.encode) if other != one]
        return tuple(bytes.fromhex(before) if {one, other} == {ARTS, PATIENT} else b"" for other in others)

    members = {
        one: e2ee.Member(
            one,
            ROLES[one],
            e2ee.public_key(private[one]),
            NONCES[one],
            last(one),
            withheld if one == PATIENT else 0,
        )
        for one in people
    }
    agreed = e2ee.transcript(APPOINTMENT, epoch, members.values())
    ordered = sorted(people, key=str.encode)

    def wrap(one: str, other: str) -> str:
        return e2ee.wrap(private[one], members[other].key, agreed, one, other, SECRETS[one], IVS[one]).hex()

    return {
        "appointment": APPOINTMENT,
        "epoch": epoch,
        "members": [
            {
                "participant": one,
                "role": ROLES[one],
                "index": ordered.index(one),
                "private": PRIVATE[one],
                "key": members[one].key.hex(),
                "nonce": NONCES[one].hex(),
                "last": [one.hex() for one in members[one].last],
                "withheld": members[one].withheld,
                "secret": SECRETS[one].hex(),
                "commitment": e2ee.commitment(APPOINTMENT, epoch, members[one]).hex(),
                "wraps": [
                    {"to": other, "iv": IVS[one].hex(), "wrapped": wrap(one, other)} for other in people if other != one
                ],
            }
            for one in people
        ],
        "transcript": agreed.hex(),
        "code": e2ee.verification_code(agreed),
    }


def key(secret: bytes, epoch: int, index: int, label: int) -> dict[str, Any]:
    kid = e2ee.key_id(epoch, index, label)
    derived, salt = e2ee.frame_key(secret, kid)
    place = {"secret": secret.hex(), "epoch": epoch, "index": index, "label": label}
    return place | {"kid": kid, "key": derived.hex(), "salt": salt.hex()}


def frame(
    whose: str, epoch: int, index: int, label: int, counter: int, kind: e2ee.Kind, plain: bytes
) -> dict[str, Any]:
    made = key(SECRETS[whose], epoch, index, label)
    sealed = e2ee.seal(bytes.fromhex(made["key"]), bytes.fromhex(made["salt"]), made["kid"], counter, plain, kind)
    clear = e2ee.clear_bytes(plain, kind)
    return made | {"counter": counter, "kind": kind, "clear": clear, "plain": plain.hex(), "frame": sealed.hex()}


def chats() -> list[dict[str, Any]]:
    said = ChatEntry("AQIDBA", "practitioner", ARTS, "Goedemorgen", 1_767_225_600_000)
    answered = ChatEntry("BQYHCA", "patient", PATIENT, "Dag, dokter — ça va 👋", 1_767_225_604_321)
    log = ChatLog("practitioner")
    log.keep(said)
    log.keep(answered)
    made = []
    for counter, plain in enumerate((compose(said), *log.parts(), REQUEST)):
        sealed = frame(ARTS, 7, 1, 3, counter, "data", plain)
        made.append(sealed | {"json": json.loads(plain), "ciphertext": encode(bytes.fromhex(sealed["frame"]))})
    return made


def refused(good: bytes) -> list[dict[str, str]]:
    """What must not open under the first frame's key, nor be taken for a frame of another."""

    def flipped(at: int) -> bytes:
        changed = bytearray(good)
        changed[at] ^= 1
        return bytes(changed)

    body, header = good[:-6], good[-6:-3]
    cases = {
        "one of the clear bytes is another": flipped(3),
        "one of the encrypted bytes is another": flipped(12),
        "the tag is another": flipped(len(body) - 1),
        "the counter is another": flipped(len(good) - 4),
        "the key id is not in its shortest form": body + b"\x00" + header + b"\x20SK",
        "the counter is not in its shortest form": body + header[:2] + b"\x00" + header[2:] + b"\x11SK",
        "the header claims more bytes than there are": b"\x00" * 17 + b"\x7fSK",
        "the last two bytes are others": good[:-2] + b"SL",
        "it is cut off at its end": good[:-1],
        "there is no room for a tag": good[-16:],
        "it is in clear": KEY_FRAME,
        "it is empty": b"",
    }
    return [{"why": why, "kind": "video", "frame": case.hex()} for why, case in cases.items()]


def view(**changes: Any) -> dict[str, Any]:
    """The room as the patient sees it, with the practitioner in it; ``changes``: of its keys' members, or of others."""

    def person(one: str) -> dict[str, Any]:
        seen = {"participant": one, "role": ROLES[one], "state": "admitted", "connected": True, "media": "connected"}
        return seen | {"indicators": {"microphone": True, "camera": True, "screen": False}}

    members = [{"participant": one, "role": ROLES[one]} for one in (PATIENT, ARTS)]
    return {
        "version": 12,
        "appointment": APPOINTMENT,
        "me": person(PATIENT),
        "others": [person(one) for one in changes.get("others", [ARTS])],
        "media": None,
        "keys": {"epoch": 9, "members": changes.get("members", members)},
        "resume": "of no use here",
    }


def refusals() -> list[dict[str, Any]]:
    """What a patient's page that agreed on nothing so far has to refuse: a view, then what comes over the wire."""
    members = view()["keys"]["members"]
    private = ec.derive_private_key(int(PRIVATE[ARTS], 16), ec.SECP256R1())

    def says(last: tuple[bytes, ...], **changes: Any) -> list[list[Any]]:
        arts = e2ee.Member(ARTS, "practitioner", e2ee.public_key(private), NONCES[ARTS], last)
        commitment = encode(e2ee.commitment(APPOINTMENT, 9, arts))
        key, nonce = encode(arts.key), encode(arts.nonce)
        place = {"sender": ARTS, "epoch": 9}
        return [
            ["key-commit", place | {"version": 2, "commitment": commitment} | changes],
            ["key-reveal", place | {"key": key, "nonce": nonce, "last": list(map(encode, last)), "withheld": 0}],
        ]

    hidden = {"participant": GUEST, "role": "guest"}
    [commit, reveal] = says((b"",))
    unversioned = {name: value for name, value in commit[1].items() if name != "version"}
    cases: dict[str, tuple[str, dict[str, Any], list[list[Any]], list[str]]] = {
        "a member is not shown": ("tampering", view(members=[*members, hidden]), [], []),
        "a member is shown in another role": (
            "tampering",
            view(members=[members[0], members[1] | {"role": "guest"}]),
            [],
            [],
        ),
        "somebody shown is no member": ("tampering", view(others=[ARTS, GUEST]), [], []),
        "oneself is no member": ("tampering", view(members=[members[1], hidden], others=[ARTS, GUEST]), [], []),
        "a member is listed twice": ("tampering", view(members=[*members, members[1]]), [], []),
        "the other one offers version 1": (
            "outdated",
            view(),
            [[commit[0], commit[1] | {"version": 1}], reveal],
            ["key-commit"],
        ),
        "the other one offers no version": ("outdated", view(), [[commit[0], unversioned], reveal], ["key-commit"]),
        "a handshake came before that was not ours": (
            "tampering",
            view(),
            says((sha256(b"of somebody in between").digest(),)),
            ["key-commit", "key-reveal"],
        ),
        "what was completed before is said of too many": (
            "tampering",
            view(),
            says((b"", b"")),
            ["key-commit", "key-reveal"],
        ),
        "another count than was committed to": (
            "tampering",
            view(),
            [commit, [reveal[0], reveal[1] | {"withheld": 1}]],
            ["key-commit", "key-reveal"],
        ),
    }
    return [
        {"why": why, "as": verdict, "view": seen, "receive": received, "sent": sent}
        for why, (verdict, seen, received, sent) in cases.items()
    ]


def window() -> list[dict[str, Any]]:
    counters, made = ReplayWindow(), []
    for counter in REPLAYED:
        fresh = counters.fresh(counter)
        if fresh:
            counters.mark(counter)
        made.append({"counter": counter, "accepted": fresh})
    return made


def make() -> dict[str, Any]:
    first = handshake(7, (ARTS, PATIENT))
    frames = [frame(*one) for one in FRAMES]
    places = [(ARTS, 7, 1, label) for label in e2ee.LABELS.values()]
    places += [(GUEST, 65_543, 2, 0), (PATIENT, 2**31, 31, 3)]
    return {
        "format": "docs/protocol.md, End-to-end encryption; byte strings in hexadecimal",
        "handshakes": [first, handshake(8, (GUEST, ARTS, PATIENT), first["transcript"], 1)],
        "refusals": refusals(),
        "keys": [key(SECRETS[whose], *place) for whose, *place in places],
        "frames": frames,
        "chats": chats(),
        "refused": refused(bytes.fromhex(frames[0]["frame"])),
        "window": window(),
    }


def text() -> str:
    return json.dumps(make(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
