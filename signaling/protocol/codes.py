"""The code that a patient's link may ask for."""

from typing import Annotated, Literal

from pydantic import Field

from signaling.protocol.model import Message
from signaling.protocol.rest import CodePass

CodeWay = Literal["mail", "sms"]


class CodeRequest(Message):
    """Have it sent, to where the patient is told of the appointment."""

    link: Annotated[str, Field(max_length=2048)]
    way: CodeWay | None = Field(default=None, description="Mail without one, where that goes.")


class CodeSent(Message):
    way: CodeWay
    ways: list[CodeWay] = Field(description="All by which it can be sent.")
    expires_in: int = Field(description="Seconds for which it is good. Who asks again soon is sent the same.")


class CodeTyped(Message):
    link: Annotated[str, Field(max_length=2048)]
    code: Annotated[str, Field(min_length=1, max_length=40, description="What is no digit does not matter.")]


class CodePassed(Message):
    """A browser has it as a cookie; an app sends it with the link."""

    code_pass: CodePass
    expires_in: int = Field(description="Seconds.")
