"""The token for OpenBao, and the way to it."""

import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.servers import bao as servers
from tests.servers.bao import Bao
from vault.errors import Locked, StartRefused
from vault.keys import transit as transits
from vault.keys.transit import Transit
from vault.keys.wrapped import WrappedKeys
from vault.settings import TransitSettings, VaultSettings


@pytest.fixture(params=["single", "nodes"])
def keystore_settings(request: pytest.FixtureRequest) -> VaultSettings:
    """With the epochs in OpenBao."""
    settings: VaultSettings = request.getfixturevalue(request.param)
    return settings


def test_the_token_is_renewed_now_and_then(
    keys: WrappedKeys, keystore_settings: VaultSettings, bao: Bao, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keystore_settings.transit.token_file is not None
    token = keystore_settings.transit.token_file.read_text()
    calls: list[str] = []
    plain = Transit._call

    def counted(self: Transit, method: str, path: str, *rest: Any, **named: Any) -> Any:
        calls.append(path)
        return plain(self, method, path, *rest, **named)

    monkeypatch.setattr(Transit, "_call", counted)
    once = Transit(keystore_settings.transit)
    for _ in range(3):
        once.key()
    assert calls.count("auth/token/renew-self") == 1
    monkeypatch.setattr(transits, "RENEW_SECONDS", -1.0)
    once.key()
    assert calls.count("auth/token/renew-self") == 2
    looked = bao.call("GET", "auth/token/lookup-self", token=token)["data"]
    assert looked["last_renewal"]


def test_a_new_token_in_the_file_is_used_at_once(keys: WrappedKeys, keystore_settings: VaultSettings, bao: Bao) -> None:
    file = keystore_settings.transit.token_file
    assert file is not None
    file.write_text("s.revoked")
    with pytest.raises(Locked):
        keys.secrets.check()
    file.write_text(bao.token(file.parent, keystore_settings.transit.key).read_text() + "\n")
    keys.secrets.check()


@pytest.mark.parametrize("address", ["http://bao.example.org:8200", "http://10.0.0.1"])
def test_a_token_does_not_travel_in_clear(address: str) -> None:
    with pytest.raises(StartRefused, match="https"):
        Transit(TransitSettings(address=address))


@pytest.mark.parametrize("address", ["bao:8200", "ftp://x", "http://user:secret@x", "https://x/y"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        TransitSettings(address=address)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://bao.example.org", ("bao.example.org", 443)),
        ("https://bao.example.org:8200/", ("bao.example.org", 8200)),
        ("http://localhost", ("localhost", 80)),
        ("http://[::1]:8200", ("::1", 8200)),
    ],
)
def test_addresses(address: str, host: tuple[str, int]) -> None:
    assert Transit(TransitSettings(address=address))._host == host


def test_tls_is_checked_against_the_authority_that_was_given(tmp_path: Path) -> None:
    with servers.running("-dev-tls", f"-dev-tls-cert-dir={tmp_path}") as server:
        authority = tmp_path / "vault-ca.pem"
        token = tmp_path / "token"
        token.write_text(servers.TOKEN)
        address = server.address.replace("http:", "https:")
        for _ in range(100):
            if authority.exists():
                trusted = Transit(TransitSettings(address=address, token_file=token, ca_file=authority))
                try:
                    trusted._call("POST", "sys/mounts/transit", {"type": "transit"})
                    break
                except Locked:
                    pass
            threading.Event().wait(0.1)
        with pytest.raises(Locked, check=lambda locked: "key is missing" in locked.reason):
            trusted.key()
        with pytest.raises(Locked, check=lambda locked: "cannot be reached" in locked.reason):
            Transit(TransitSettings(address=address, token_file=token)).key()
