"""What happens to an uploaded picture, in this order: its size, its own word, the scanner, and encoding it anew."""

from practice.pictures.encoding import Encoding
from practice.pictures.formats import Header, said
from practice.pictures.masking import boxes
from practice.pictures.model import Use
from practice.pictures.scanner import Scanner
from practice.settings import UploadSettings
from vault.errors import DomainError


class Intake:
    """``most`` bytes are taken; ``on`` says whether anything is."""

    def __init__(self, settings: UploadSettings) -> None:
        self.most = settings.most_bytes
        self.on = settings.scanner is not None
        self._scanner = Scanner(settings.scanner)
        self._encoding = Encoding()

    async def take(self, data: bytes, use: Use) -> bytes:
        """The picture as it may be kept. Nothing of the file itself is.

        Errors: ``too_large``, ``picture_unreadable``, ``picture_pixels``, ``scanner_missing``, ``file_infected``.
        """
        return await self._encoding.anew(data, await self._looked_at(data), use)

    async def take_masked(self, data: bytes, typed: str) -> bytes:
        """A picture of a paper whose four boxes are black, as it may be kept; ``typed`` says where they are
        (``masking``). Errors: the same, and ``picture_unmasked``.
        """
        if len(data) > self.most:
            raise DomainError("too_large")
        places = boxes(typed, said(data))
        return await self._encoding.anew(data, await self._looked_at(data), "masked", [str(one) for one in places])

    async def _looked_at(self, data: bytes) -> Header:
        if len(data) > self.most:
            raise DomainError("too_large")
        found = said(data)
        await self._scanner.demand_clean(data)
        return found
