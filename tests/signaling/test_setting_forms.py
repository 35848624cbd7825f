"""What people write for a setting: brought into the form that is compared, or refused with what to write."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from media.redis_address import redis_address
from media.settings import MediaSettings
from signaling import setting_forms
from signaling.addresses import origins, public_origin
from signaling.settings import SignalingSettings
from vault.errors import StartRefused
from vault.keys.transit import Transit
from vault.settings import TransitSettings
from web.settings import Officer, Operator, WebSettings

ORIGINS = {
    "https://consult.example.org": "https://consult.example.org",
    " https://consult.example.org/ ": "https://consult.example.org",
    "https://Consult.Example.ORG": "https://consult.example.org",
    "HTTPS://consult.example.org:443": "https://consult.example.org",
    "https://consult.example.org:8443": "https://consult.example.org:8443",
    "https://consult.example.org:0443//": "https://consult.example.org",
    "https://consult.example.org.": "https://consult.example.org",
    "http://localhost:80": "http://localhost",
    "https://praktijk-één.nl": "https://xn--praktijk-n-j7aa.nl",
    "https://STRASSE.de": "https://strasse.de",
    "https://straße.de": "https://xn--strae-oqa.de",
    "https://[2001:DB8::0:1]:443": "https://[2001:db8::1]",
    "https://192.0.2.1:443": "https://192.0.2.1",
}

NO_ORIGINS = {
    "consult.example.org": "https://",
    "consult.example.org:443": "https://",
    "https:consult.example.org": "https://",
    "ftp://consult.example.org": "https://",
    "https://": "host",
    "https://:443": "host",
    "https://consult.example.org:443:8443": "two ports",
    "https://consult.example.org,https://other.example.org": "path",
    "https://consult.example.org https://other.example.org": "leave out the path",
    "https://consult.example.org/practice": "leave out the path",
    "https://consult.example.org?x": "leave out the path",
    "https://consult.example.org#x": "leave out the path",
    "https://me:pa@consult.example.org": "user",
    "https://consult.example.org:https": "port from 1",
    "https://consult.example.org:99999": "port from 1",
    "https://consult.example.org:0": "port from 1",
    "https://2001:db8::1": "brackets",
    "https://[consult.example.org]": "IPv6",
    "https://1.2": "host name",
    "https://0x7f.1": "host name",
    "https://con sult.example.org": "leave out the path",
    "https://*.example.org": "host name",
    "https://-x.example.org": "host name",
    "https://a..b": "host name",
    "https://ex‥ample.org": "host name",
}


@pytest.mark.parametrize(("written", "sent"), ORIGINS.items())
def test_an_origin_is_what_browsers_send(written: str, sent: str) -> None:
    settings = SignalingSettings(origin=written)
    assert origins(settings) == {sent}
    assert public_origin(settings) == sent


@pytest.mark.parametrize(("written", "remedy"), NO_ORIGINS.items())
def test_what_is_no_origin_says_how_to_write_one(written: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        setting_forms.origin(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10.0.0.5/8", "10.0.0.0/8"),
        ("192.0.2.7", "192.0.2.7/32"),
        (" fd00::5/8", "fd00::/8"),
        ("::/0", "::/0"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("::ffff:10.0.0.5/104", "10.0.0.0/8"),
        ("::ffff:0:0/90", "::ffc0:0:0/90"),
        ("[::1]", "::1/128"),
        ("[fd00::5]/8", "fd00::/8"),
    ],
)
def test_a_network_with_host_bits_is_the_network_around_it(written: str, meant: str) -> None:
    settings = SignalingSettings.model_validate({"trusted_proxies": [written], "operator_networks": [written]})
    assert str(settings.trusted_proxies[0]) == str(settings.operator_networks[0]) == meant


@pytest.mark.parametrize("written", ["10.0.0.0/33", "10.0.0.0-10.0.0.9", "proxy", "", 7, None, "10.0.0.0/255.0.255.0"])
def test_what_is_no_network_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="networks"):
        SignalingSettings.model_validate({"trusted_proxies": [written]})


@pytest.mark.parametrize(
    ("written", "meant"), [("[::1]", "::1"), ("LOCALHOST", "localhost"), ("0:0::1", "::1"), (" 127.0.0.1", "127.0.0.1")]
)
def test_a_host_is_listened_on_however_it_is_written(written: str, meant: str) -> None:
    assert SignalingSettings(host=written).host == meant


@pytest.mark.parametrize("written", ["*", "", "127.0.0.1:8080", "http://127.0.0.1", "256.0.0.1", "0.0.0.0/0", "a b"])
def test_what_is_no_host_says_what_to_write(written: str) -> None:
    with pytest.raises(ValueError, match=r"0\.0\.0\.0 or :: for every"):
        setting_forms.listening_host(written)


REDIS = {
    "redis://127.0.0.1:6379/0": None,
    "redis://h": None,
    "rediss://u:p@h.example:6380/15?ssl_ca_certs=/etc/ca.pem": None,
    "unix:///run/redis.sock?db=1": None,
    "unix://u:p@/run/redis.sock": None,
    "redis://[::1]:6379/0": None,
    " REDIS://h/1\n": "redis://h/1",
    "valkey://u:p@h/1": "redis://u:p@h/1",
    "valkeys://h": "rediss://h",
    "redis://:a%23b%2Fc%3Fd%40e%25@h/0": None,
}

NO_REDIS = {
    "http://h:6379": "redis://, rediss://",
    "h:6379": "redis://, rediss://",
    "redis:h": "redis://, rediss://",
    "redis:/h": "redis://, rediss://",
    "": "redis://, rediss://",
    "redis://": "must name its host",
    "redis:///0": "must name its host",
    "redis://:6379/0": "must name its host",
    "redis://:password@": "must name its host",
    "redis://u:canary@:6379/0": "must name its host",
    "redis://h:port": "port from 1",
    "redis://h:0": "port from 1",
    "redis://h:70000": "port from 1",
    "redis://h:6379:6380": "two ports",
    "redis://::1:6379": "brackets",
    "redis://h/abc": "number of a database",
    "redis://h/-1": "number of a database",
    "redis://h/0/1": "number of a database",
    "redis://h?db=x": "number of a database",
    "redis://h?timeout=5": "no other options",
    "rediss://h?ssl_cert_reqs=maybe": "none, optional or required",
    "redis://:canary#secret@h:6379/0": "%23",
    "redis://:canary/secret@h:6379/0": "%2F",
    "redis://:canary?secret@h:6379/0": "%2F",
    "redis://:canary@secret@h:6379/0": "%40",
    "redis://:canary[secret@h:6379/0": "percent-encode",
    "redis://:canary secret@h:6379/0": "percent-encode",
    "redis://:canaryé@h:6379/0": "percent-encode",
    "redis://:can\nary@h:6379/0": "percent-encode",
    "unix://run/redis.sock": "three slashes",
    "unix://": "three slashes",
    "unix:///run/redis.sock#canary": "%23",
}


@pytest.mark.parametrize(("written", "meant"), REDIS.items())
def test_an_address_of_redis_is_taken(written: str, meant: str | None) -> None:
    assert redis_address(SecretStr(written)).get_secret_value() == (meant or written)


@pytest.mark.parametrize(("written", "remedy"), NO_REDIS.items())
def test_what_is_no_address_of_redis_says_what_to_write_and_no_password(written: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy) as refused:
        redis_address(SecretStr(written))
    assert "canary" not in str(refused.value) and "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "meant"), [("europe/amsterdam", "Europe/Amsterdam"), ("UTC", "UTC"), ("Etc/GMT-1", "Etc/GMT-1")]
)
def test_a_time_zone_is_found_whatever_its_capitals(written: str, meant: str) -> None:
    assert WebSettings(timezone=written).timezone == meant


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("Europe/Amsterdm", "Europe/Amsterdam"),
        ("europe/amsterdm", "Europe/Amsterdam"),
        ("America/New York", "America/New_York"),
        ("CEST", "as "),
        ("+01:00", "Europe/Amsterdam"),
        ("", "Europe/Amsterdam"),
        ("Europe", "as "),
        ("../../etc/passwd", "as "),
        ("/etc/localtime", "as "),
        ("localtime", "as "),
        ("x\0y", "as "),
    ],
)
def test_what_is_no_time_zone_is_refused_with_one_that_is(written: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        WebSettings(timezone=written)


@pytest.mark.parametrize("written", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1%eth0", "media.example.org"])
def test_what_clients_cannot_send_to_is_not_announced(written: str) -> None:
    with pytest.raises(ValueError, match="must be addresses"):
        MediaSettings(announced=[written])


def test_an_announced_address_is_itself() -> None:
    assert MediaSettings(announced=["::ffff:192.0.2.1", "2001:DB8::1"]).announced == ["192.0.2.1", "2001:db8::1"]


@pytest.mark.parametrize("written", ["a\nb", "\u200b", "\x07", "a\u2028b", "\u0301"])
def test_who_runs_the_server_can_be_read(written: str) -> None:
    for field in ("name", "phone", "mail"):
        with pytest.raises(ValueError, match="one line"):
            Operator.model_validate({field: written})
    with pytest.raises(ValueError, match="one line"):
        Officer(name=written)
    assert Operator(name=" ", phone=" +31 (0)20 123 45 67 ").phone == "+31 (0)20 123 45 67"


@pytest.mark.parametrize(
    "written", ["nonsense", "a@b?subject=x", "Info <info@practice.example>", "a@b\nX: y", "a b@c.nl"]
)
def test_a_mail_address_stands_alone(written: str) -> None:
    for model in (Operator, Officer):
        with pytest.raises(ValueError, match="must be"):
            model(mail=written)
    assert Operator(mail=" info+vc@praktijk-één.nl ").mail == "info+vc@praktijk-één.nl"


@pytest.mark.parametrize(
    "written", ["https://openbao:port", "https://openbao:99999", "https://openbao:0", "https://:1"]
)
def test_an_address_of_openbao_has_a_port_or_none(written: str) -> None:
    with pytest.raises(ValueError, match="a port from 1 to 65535 or none"):
        TransitSettings(address=written)


def test_an_authority_of_openbao_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    for file in (tmp_path / "none.pem", tmp_path / "missing.pem", tmp_path):
        with pytest.raises(StartRefused, match=r"rooms\.transit\.ca_file"):
            Transit(TransitSettings(address="https://openbao:8200", ca_file=file))
