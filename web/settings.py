"""Settings of the pages. Set them as ``SPREEKKAMER_WEB__<NAME>`` or ``[web]`` in the file."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["nl", "en"]


class Operator(BaseModel):
    """Who runs the server and is named on the privacy page (S-01, S-02), and with the telephone number wherever a
    patient is told to call. Empty fields are placeholders."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="", max_length=200, description="Name of the organisation.")
    address: str = Field(default="", max_length=400, description="Postal address, lines separated by commas.")
    phone: str = Field(
        default="", max_length=40, description="Telephone number, also for patients whose link does not work."
    )
    mail: str = Field(default="", max_length=254, description="E-mail address for questions.")
    web: str = Field(default="", pattern=r"^(https://[^\s]+)?$", description="Address of the organisation's own site.")


class Officer(BaseModel):
    """The data protection officer (S-03)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="", max_length=200, description="Name of the data protection officer.")
    mail: str = Field(default="", max_length=254, description="E-mail address of the data protection officer.")


class Authority(BaseModel):
    """Where a complaint about privacy can be made (S-50)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="Autoriteit Persoonsgegevens", max_length=200, description="The supervisory authority.")
    web: str = Field(
        default="https://autoriteitpersoonsgegevens.nl/", pattern=r"^https://[^\s]+$", description="Its address."
    )


class WebSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Language = Field(default="nl", description="Language when the browser asks for none that exists.")
    timezone: str = Field(
        default="Europe/Amsterdam", description="Time zone of the practice; shown to patients who are in another one."
    )
    security_contact: str = Field(
        default="",
        pattern=r"^((mailto:|https://|tel:)[^\s]+)?$",
        description="Where to report a vulnerability, as a URI; empty: the operator's mail, else the privacy page.",
    )
    operator: Operator = Operator()
    dpo: Officer = Officer()
    authority: Authority = Authority()

    def placeholders(self) -> list[str]:
        """The settings a server in production may not leave empty, by name; empty when all are filled in."""
        required = {
            "operator.name": self.operator.name,
            "operator.address": self.operator.address,
            "operator.mail": self.operator.mail,
            "dpo.name": self.dpo.name,
            "dpo.mail": self.dpo.mail,
        }
        return [name for name, value in required.items() if not value]
