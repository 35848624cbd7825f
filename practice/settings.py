"""Settings of what a practice sends out. Set them as ``SPREEKKAMER_PRACTICE__<NAME>`` or ``[practice]`` in the file."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from practice.dkim import Keys, parsed
from practice.mailboxes import host_name, mailbox

HTTPS: Final = 443
SUBMISSION, OVER_TLS = 587, 465
MAIL_PORTS: Final = (25, OVER_TLS, SUBMISSION, 2525)
IMAP_OVER_TLS: Final = 993
LONGEST_LOCAL: Final = 18
"""Characters before the @ of an address that a token of 45 is put behind (RFC 5321, 4.5.3.1.1)."""
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def _host(text: str) -> str:
    try:
        return host_name(text)
    except ValueError:
        raise ValueError(
            "must be a host name or an address, as mail.example.org; the port is a setting apart"
        ) from None


def _sender(text: str) -> str:
    try:
        return mailbox(text)
    except ValueError:
        raise ValueError("must be an e-mail address alone, as praktijk@example.org") from None


Security = Literal["starttls", "tls", "none"]
Host = Annotated[str, AfterValidator(_host)]


class MailSettings(BaseModel):
    """The mail server. Without a ``host`` no mail is sent, and none is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Host | None = Field(
        default=None, description="The mail server that takes our mail, as mail.example.org; empty: no mail is sent."
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Its port: 25, 465, 587 or 2525, any for a host of local_hosts; empty: 587.",
    )
    security: Security | None = Field(
        default=None,
        description="starttls demands it after connecting, tls speaks it from the start, none is for this machine "
        "only; empty: tls at port 465, else starttls.",
    )
    user: str | None = Field(default=None, max_length=255, description="Whom we sign in as; empty: nobody.")
    password: SecretStr | None = Field(default=None, description="Password of that user; without one it is not used.")
    sender: Annotated[str, AfterValidator(_sender)] | None = Field(
        default=None, description="The address that mail comes from; needed with a host."
    )
    ca_file: Path | None = Field(
        default=None, description="PEM file of the authority of the mail server's certificate; empty: the system's."
    )
    dkim_selector: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
        description="Name of the key by which our mail is signed (DKIM), in the DNS of the sender's domain: "
        "`spreekkamer dkim-records` prints what to publish there; empty: the mail server signs, or nobody does.",
    )
    dkim_keys: list[SecretStr] = Field(
        default=[],
        description="The private keys for that, RSA and Ed25519, as `spreekkamer dkim-keys` prints them; without a "
        "selector they are not used.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host and not self.sender:
            raise ValueError("has a host and no sender; set practice.mail.sender beside practice.mail.host")
        if self.user and not self.password:
            raise ValueError("has a user and no password; set practice.mail.password beside practice.mail.user")
        if self.host and self.spoken == "none" and self.host not in LOOPBACK:
            raise ValueError(
                "would send mail in clear to another machine; set practice.mail.security to starttls or tls, or "
                "practice.mail.host to localhost"
            )
        if self.dkim_selector and not self.dkim_keys:
            raise ValueError("has no keys to sign with; set practice.mail.dkim_keys beside practice.mail.dkim_selector")
        if self.dkim_selector:
            try:
                self.keys()
            except ValueError:
                raise ValueError(
                    "has dkim_keys that are not what `spreekkamer dkim-keys` prints: an RSA key of 2048 bits or more, "
                    "and an Ed25519 key beside it"
                ) from None
        return self

    def keys(self) -> Keys:
        """By which mail is signed. ValueError where they are none."""
        return parsed([key.get_secret_value() for key in self.dkim_keys])

    @property
    def domain(self) -> str:
        """That mail comes from; empty where none is sent."""
        return (self.sender or "").rpartition("@")[2]

    @property
    def at(self) -> int:
        """The port."""
        return self.port or SUBMISSION

    @property
    def spoken(self) -> Security:
        """How it is encrypted."""
        return self.security or ("tls" if self.at == OVER_TLS else "starttls")


class ImapSettings(BaseModel):
    """A mailbox of ours alone, and what it is read by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Host | None = Field(default=None, description="The IMAP server of that mailbox; needed with an address.")
    port: int | None = Field(
        default=None, ge=1, le=65_535, description="Its port: 993, any for a host of local_hosts; empty: 993."
    )
    security: Literal["tls", "none"] | None = Field(
        default=None, description="tls speaks it from the start, none is for this machine only; empty: tls."
    )
    user: str | None = Field(default=None, max_length=255, description="Whom we sign in as; needed with an address.")
    password: SecretStr | None = Field(default=None, description="Password of that user; without one it is not used.")
    ca_file: Path | None = Field(
        default=None, description="PEM file of the authority of its certificate; empty: the system's."
    )

    def demand_whole(self, name: str, address: str | None) -> None:
        """Whether an address can be read, and not in clear; ``name`` is that of the settings. Errors: ValueError."""
        if address and not (self.host and self.user and self.password):
            raise ValueError(
                f"has an address and nothing to read it by; set {name}.host, {name}.user and "
                f"{name}.password beside {name}.address"
            )
        if self.host and self.spoken == "none" and self.host not in LOOPBACK:
            raise ValueError(
                f"would read mail in clear from another machine; set {name}.security to tls, or "
                f"{name}.host to localhost"
            )

    @property
    def at(self) -> int:
        """The port."""
        return self.port or IMAP_OVER_TLS

    @property
    def spoken(self) -> Literal["tls", "none"]:
        """How it is encrypted."""
        return self.security or "tls"


Address = Annotated[str, AfterValidator(_sender)]


class BounceSettings(ImapSettings):
    """The mailbox to which undeliverable mail comes back. Without an ``address`` that is the sender's."""

    address: Address | None = Field(
        default=None,
        description="Where mail to patients that could not be delivered comes back to, as bounces@example.org: of the "
        "sender's domain, and its mail server has to put bounces+…@example.org into the same mailbox; empty: to "
        "practice.mail.sender.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self.demand_whole("practice.bounces", self.address)
        if self.address and len(self.address.rpartition("@")[0]) > LONGEST_LOCAL:
            raise ValueError(f"has a practice.bounces.address with more than {LONGEST_LOCAL} characters before the @")
        return self


class RequestMailboxSettings(ImapSettings):
    """The mailbox that people write to about their rights. Without an ``address`` none is read."""

    address: Address | None = Field(
        default=None,
        description="Where people mail what they ask about their data, as privacy@example.org: each mail becomes a "
        "request and is deleted there within a minute, its attachments unread; for nothing else; empty: none is read.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self.demand_whole("practice.requests.mailbox", self.address)
        return self


class RequestSettings(BaseModel):
    """Requests about people's data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mailbox: RequestMailboxSettings = RequestMailboxSettings()


def _country(text: str) -> str:
    country = text.strip().upper()
    if len(country) != 2 or not country.isalpha() or not country.isascii():  # ISO 3166-1 alpha-2
        raise ValueError("must be a country of two letters, as NL")
    return country


class SmsSettings(BaseModel):
    """Text messages. Without ``hosts`` no organisation can set a provider, and none is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: list[Host] = Field(
        default=[], description="SMS providers that organisations may send by, as gw.cmtelecom.com; empty: no SMS."
    )
    sender: str | None = Field(
        default=None,
        pattern=r"^([A-Za-z0-9][A-Za-z0-9 ]{0,10}|\+[1-9][0-9]{6,14})$",
        description="Whom text messages come from where an organisation names nobody: at most 11 letters and digits, "
        "or a number as +31612345678.",
    )
    countries: list[Annotated[str, AfterValidator(_country)]] = Field(
        default=["NL", "BE", "DE", "FR", "LU"],
        min_length=1,
        description="Countries whose mobile numbers get text messages; no other numbers do, nor paid services.",
    )
    ca_file: Path | None = Field(
        default=None, description="PEM file of the authority of a provider's certificate; empty: the system's."
    )


def _push_host(text: str) -> str:
    below = text.strip().startswith("*.")
    host = _host(text.strip().removeprefix("*."))
    if below and "." not in host:
        raise ValueError("must be all below a name of two parts at least, as *.notify.windows.com")
    return f"*.{host}" if below else host


class PushSettings(BaseModel):
    """Web push. Without ``hosts`` no desk offers it, and none is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: list[Annotated[str, AfterValidator(_push_host)]] = Field(
        default=[],
        description="Push services by which a desk may be told that somebody waits, of the browsers in use: "
        "fcm.googleapis.com, updates.push.services.mozilla.com, web.push.apple.com, *.notify.windows.com; empty: none.",
    )
    ca_file: Path | None = Field(
        default=None, description="PEM file of the authority of a push service's certificate; empty: the system's."
    )


class UploadSettings(BaseModel):
    """Files that people upload: a logo, a photograph. Without a ``scanner`` none is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scanner: Path | None = Field(
        default=None, description="Unix socket of clamd, which looks at every upload; empty: no uploads."
    )
    most_bytes: int = Field(
        default=1_000_000, ge=10_000, le=10_000_000, description="Bytes that an uploaded picture may have."
    )


Registration = Literal["closed", "domains", "founding", "both"]
Way = Literal["domains", "founding"]
"""What an operator may allow: addresses of domains that organisations list, and organisations that anybody founds."""

WAYS: Final[tuple[Way, ...]] = get_args(Way)


class PracticeSettings(BaseModel):
    """Messages, uploads, who may register, and which hosts may be at addresses that are nobody's in the world."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mail: MailSettings = MailSettings()
    bounces: BounceSettings = BounceSettings()
    requests: RequestSettings = RequestSettings()
    sms: SmsSettings = SmsSettings()
    push: PushSettings = PushSettings()
    uploads: UploadSettings = UploadSettings()
    registration: Registration | None = Field(
        default=None,
        description="Who may make an account uninvited, by a mailed link: nobody (closed), addresses of the mail "
        "domains that an organisation lists (domains), anybody in an organisation of their own (founding), or both; "
        "empty: closed.",
    )
    mail_hosts: list[Host] = Field(
        default=[],
        description="Mail servers that organisations may send by, beside practice.mail.host, which they may use too.",
    )
    local_hosts: list[Host] = Field(
        default=[],
        description="Hosts that we send to and that may be in the local network or on this machine; others only at "
        "addresses of the world. A mail server at localhost is one without standing here.",
    )

    @model_validator(mode="after")
    def _port_is_known(self) -> Self:
        mail = self.mail
        if mail.host and not self.is_local(mail.host) and mail.at not in MAIL_PORTS:
            raise ValueError("has a practice.mail.port that is none of mail; use 25, 465, 587 or 2525")
        return self

    @model_validator(mode="after")
    def _mail_comes_back(self) -> Self:
        bounces = self.bounces
        if bounces.address and bounces.address.rpartition("@")[2] != self.mail.domain:
            raise ValueError(
                "has a practice.bounces.address that is not of the domain of practice.mail.sender, so that its mail "
                "would be taken for forged (SPF)"
            )
        if bounces.host and not self.is_local(bounces.host) and bounces.at != IMAP_OVER_TLS:
            raise ValueError("has a practice.bounces.port that is not 993; only a host of local_hosts may have another")
        return self

    @model_validator(mode="after")
    def _requests_are_read(self) -> Self:
        box = self.requests.mailbox
        if box.host and not self.is_local(box.host) and box.at != IMAP_OVER_TLS:
            raise ValueError(
                "has a practice.requests.mailbox.port that is not 993; only a host of local_hosts may have another"
            )
        if box.address and (box.host, box.user) == (self.bounces.host, self.bounces.user):
            raise ValueError(
                "would read requests where mail comes back, which deletes them; give practice.requests.mailbox a "
                "mailbox of its own"
            )
        return self

    @model_validator(mode="after")
    def _links_can_be_mailed(self) -> Self:
        if self.ways and not self.sends:
            raise ValueError(
                "lets people register by a mailed link and has no mail server; set practice.mail.host, or "
                "practice.registration to closed"
            )
        return self

    @property
    def sends(self) -> bool:
        """Whether there is a mail server."""
        return self.mail.host is not None

    @property
    def ways(self) -> frozenset[Way]:
        """In which ways somebody may come uninvited."""
        return frozenset(one for one in WAYS if self.registration in (one, "both"))

    @property
    def texts_to(self) -> list[str]:
        """Countries whose mobile numbers get text messages; none where no provider may be sent by."""
        return self.sms.countries if self.sms.hosts else []

    def is_local(self, host: str) -> bool:
        """Whether a host may be where the world cannot reach."""
        return host in self.local_hosts or host in LOOPBACK
