"""What the pages' modules are checked against is made from the registry, by each ``make lint``.

The protocol client is a package of its own and has its types in ``wire.js``; the compiler is asked whether they
agree, by ``web/types/agreement.ts``, which is not kept either.
"""

import re
import sys
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
TYPEDEF = re.compile(r"@typedef \{.*?\} (\w+)$", re.MULTILINE | re.DOTALL)

HEAD = """/** The client's types are those of the registry. Made by each `make lint`. */
import type * as client from '../static/client/wire.js';
import type * as registry from './wire.js';

/** An error of the compiler where `A` is no `B`. */
type Is<A extends B, B> = [A, B];

export type Agreed = [
"""
OTHERWISE = {"Agenda": "AppointmentList", "PersonCheck": "PersonCheckView"}
"""What the client calls by a name of its own."""
ONLY_SENT = {"Line"}
"""The client says less than it may."""


def typedefs() -> list[str]:
    return TYPEDEF.findall((WEB / "static" / "client" / "wire.js").read_text())


def agreement() -> str:
    lines = []
    for name in typedefs():
        ours, theirs = f"client.{name}", f"registry.{OTHERWISE.get(name, name)}"
        lines.append(f"  Is<{ours}, {theirs}>,\n")
        if name not in ONLY_SENT:
            lines.append(f"  Is<{theirs}, {ours}>,\n")
    return f"{HEAD}{''.join(lines)}];\n"


def test_every_type_of_the_client_is_compared() -> None:
    """With one of the registry: what the client has under a name that the registry lacks, the compiler refuses."""
    compared = set(re.findall(r"Is<client\.(\w+), registry\.\w+>", agreement()))
    assert compared == set(typedefs())
    assert {"Join", "RoomView", "Answer", "AccountClosed", "DeskView", "Me", "Role"} <= compared


if __name__ == "__main__":
    sys.stdout.write(agreement())
