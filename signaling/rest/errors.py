"""The catalogue of errors, for clients that show people what it says."""

from typing import Final

from signaling.protocol.errors import CATALOGUE
from signaling.protocol.rest import ErrorCatalogue, ErrorView
from signaling.protocol.texts import CLIENTS_OWN, TEXTS
from signaling.rest.endpoint import Call

ERRORS: Final = ErrorCatalogue(
    errors=[
        *(
            ErrorView(code=code, category=category, http=status, message=message, sentence=TEXTS[code])
            for code, (category, status, message) in CATALOGUE.items()
        ),
        *(
            ErrorView(code=code, category="user", http=None, message=message, sentence=TEXTS[code])
            for code, message in CLIENTS_OWN.items()
        ),
    ]
)


async def catalogue(_call: Call) -> ErrorCatalogue:
    """The same for everybody."""
    return ERRORS
