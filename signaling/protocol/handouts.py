"""What a practitioner gives a patient by a way of their own."""

from pydantic import Field

from signaling.protocol.model import Id, Message


class QrCode(Message):
    """A QR code (ISO/IEC 18004) with its quiet zone, dark on light."""

    size: int = Field(description="Modules on each side.")
    path: str = Field(description="The dark ones as the path of an SVG whose unit is a module.")


class Handout(Message):
    appointment: Id
    text: str = Field(description="The invitation in the patient's language, without their name.")
    qr: QrCode = Field(description="Of the patient's link.")
