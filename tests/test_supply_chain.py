"""What the server is made of: a software bill of materials and a licence list, made from the hashed requirements.

The files of others that browsers get are listed too.

``python -m tests.test_supply_chain`` writes both; nothing in them depends on the machine or the day.
"""

import importlib.metadata
import json
import re
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).parents[1]
SBOM = ROOT / "docs" / "sbom.cdx.json"
LICENCES = ROOT / "docs" / "licences.md"
LOCKS = ("requirements.txt", "requirements-source.txt")
"""Of the server. What is in both is the first's."""

OURS = "EUPL-1.2"
NAMESPACE = uuid.UUID("5f0c3c66-2a3e-5d3b-9f55-0d8f3a3e7a01")

ALLOWED = {
    *("MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "PSF-2.0", "Zlib"),  # permissive
    *("MPL-2.0", "LGPL-3.0-only"),  # copyleft for the library alone, which we use unchanged
}
"""Licences that may be combined with ours in one image."""
STATED = {
    "aiohappyeyeballs": "PSF-2.0", "aiosignal": "Apache-2.0", "aiosqlite": "MIT", "async-timeout": "Apache-2.0",
    "dkimpy": "Zlib",
    "jinja2": "BSD-3-Clause", "pyasn1-modules": "BSD-2-Clause",
    "pyopenssl": "Apache-2.0", "segno": "BSD-3-Clause", "simple-websocket": "MIT", "sortedcontainers": "Apache-2.0",
}  # fmt: skip
"""Read in the package itself, where its metadata names a licence without saying it in SPDX."""
BUNDLED = {
    "av": "FFmpeg with x264 and x265, GPL-2.0-or-later; the whole image may be passed on under that licence's terms, "
    "which EUPL-1.2 allows (its appendix names GPL v2 and v3). The server itself never decodes.",
    "psycopg-binary": "libpq (PostgreSQL licence) and OpenSSL (Apache-2.0)",
    "cryptography": "OpenSSL (Apache-2.0)",
    "pylibsrtp": "libsrtp (BSD-3-Clause) and OpenSSL (Apache-2.0)",
    "cffi": "libffi (MIT)",
    "pynacl": "libsodium (ISC)",
    "google-crc32c": "crc32c (BSD-3-Clause)",
}
"""What the wheels carry beside their own code."""


@dataclass
class Pinned:
    """One package of requirements.txt."""

    name: str
    version: str
    hashes: list[str] = field(default_factory=list)
    via: list[str] = field(default_factory=list)

    @property
    def purl(self) -> str:
        return PackageURL("pypi", name=self.name, version=self.version).to_string()

    @property
    def licence(self) -> str:
        """An SPDX expression, or what the metadata says instead."""
        metadata = importlib.metadata.metadata(self.name).json
        stated = STATED.get(self.name)
        return str(metadata.get("license_expression") or stated or metadata.get("license") or "unknown")


@dataclass
class Vendored:
    """One package for browsers, of which a file is in the repository."""

    name: str
    version: str
    licence: str
    hashes: list[str]

    @property
    def purl(self) -> str:
        scope, _, name = self.name.rpartition("/")
        return PackageURL("npm", scope, name, self.version).to_string()


@cache
def pinned() -> tuple[Pinned, ...]:
    found: list[Pinned] = []
    lines = [line for lock in LOCKS for line in (ROOT / lock).read_text().splitlines()]
    for line in lines:
        if match := re.match(r"([a-z0-9][\w.-]*)(?:\[[\w,-]+\])?==(\S+) \\", line):
            found.append(Pinned(match[1], match[2]))
        elif match := re.match(r"\s+--hash=sha256:([0-9a-f]{64})", line):
            found[-1].hashes.append(match[1])
        elif (match := re.match(r"\s+#\s+(?:via\s+)?([a-z0-9][\w.-]*)$", line)) and match[1] != "via":
            found[-1].via.append(match[1])
    return tuple(sorted({one.name: one for one in reversed(found)}.values(), key=lambda one: one.name))


@cache
def vendored() -> tuple[Vendored, ...]:
    """The script in each folder of a ``SHA256SUMS``; the lock file that it was taken by has its name and licence."""
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    known = {f"{path.rpartition('/')[2]}-{one.get('version')}": (path, one) for path, one in locked.items()}
    found = []
    for sums in sorted((ROOT / "web" / "static").rglob("SHA256SUMS")):
        for digest, folder in re.findall(r"^(\w{64})  ([^/]+)/.+\.js$", sums.read_text(), re.MULTILINE):
            path, one = known[folder]
            found.append(Vendored(path.removeprefix("node_modules/"), one["version"], one["license"], [digest]))
    return tuple(found)


def everything() -> list[Pinned | Vendored]:
    """What the server runs, and what it hands to browsers."""
    return [*pinned(), *vendored()]


def bill() -> str:
    """CycloneDX 1.6 in JSON."""
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    licences = LicenseFactory()
    bom = Bom()
    root = Component(
        name="spreekkamer", version=version[1], type=ComponentType.APPLICATION, bom_ref="spreekkamer",
        licenses=[licences.make_from_string(OURS)],
    )  # fmt: skip
    bom.metadata.component = root
    components = {one.name: _component(one, licences) for one in pinned()}
    for component in components.values():
        bom.components.add(component)
    for script in vendored():
        component = _component(script, licences)
        bom.components.add(component)
        bom.register_dependency(root, [component])
    for one in pinned():
        parents = [components[name] for name in one.via if name in components]
        for parent in parents or [root]:
            bom.register_dependency(parent, [components[one.name]])
    for image in images():
        name, _, tag = image.partition(":")
        bom.components.add(Component(name=name, version=tag, type=ComponentType.CONTAINER, bom_ref=f"image:{image}"))
    text = "\n".join(one.purl for one in everything()) + "\n".join(images()) + version[1]
    bom.serial_number = uuid.uuid5(NAMESPACE, text)
    made: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    del made["metadata"]["timestamp"]
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def _component(one: Pinned | Vendored, licences: LicenseFactory) -> Component:
    properties = [Property(name="spreekkamer:bundled", value=BUNDLED[one.name])] if one.name in BUNDLED else []
    reference = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(one.purl),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in one.hashes],
    )
    return Component(
        name=one.name, version=one.version, type=ComponentType.LIBRARY, bom_ref=one.purl,
        purl=PackageURL.from_string(one.purl), licenses=[licences.make_from_string(one.licence)],
        external_references=[reference], properties=properties,
    )  # fmt: skip


def images() -> list[str]:
    """The images that the compose file starts, and the one that ours is made from."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    base = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return sorted({one["image"] for one in services if not one["image"].startswith("spreekkamer")} | {base[-1]})


def page() -> str:
    lines = [
        "# Licences",
        "",
        f"Spreekkamer is licensed under {OURS} (`LICENSE`). The server needs these packages, each in the version and",
        "with the hashes of `requirements.txt` or `requirements-source.txt`. This page and `docs/sbom.cdx.json`",
        "(CycloneDX 1.6) are made by `python -m tests.test_supply_chain`; a test fails on a licence that is unknown or",
        "does not go with ours.",
        "",
        "| package | version | licence |",
        "|---|---|---|",
        *(f"| {one.name} | {one.version} | {one.licence} |" for one in pinned()),
        "",
        "Browsers get a file of each of these, unchanged, with its licence beside it (`SHA256SUMS`):",
        "",
        "| package | version | licence |",
        "|---|---|---|",
        *(f"| {one.name} | {one.version} | {one.licence} |" for one in vendored()),
        "",
        "What wheels carry beside their own code:",
        "",
        *(f"- **{name}**: {what}" for name, what in BUNDLED.items()),
        "",
        "The compose file starts these images, each under its own licences: "
        + ", ".join(f"`{image}`" for image in images())
        + ".",
    ]
    return "\n".join(lines) + "\n"


def terms(expression: str) -> list[set[str]]:
    """The alternatives of an SPDX expression without brackets, each a set of licences that all count."""
    return [set(re.split(r"\s+AND\s+", part)) for part in re.split(r"\s+OR\s+", expression)]


def test_the_bill_of_materials_is_what_the_requirements_say() -> None:
    assert SBOM.read_text() == bill(), "run: python -m tests.test_supply_chain"


def test_the_licence_list_is_what_the_packages_say() -> None:
    assert LICENCES.read_text() == page(), "run: python -m tests.test_supply_chain"


def test_the_bill_is_valid_and_complete() -> None:
    text = SBOM.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    listed = {one["name"]: one for one in json.loads(text)["components"] if one["type"] == "library"}
    assert {one["purl"] for one in listed.values()} == {one.purl for one in everything()}
    assert {"lit-html", "@preact/signals-core", "socket.io-client"} <= set(listed)
    assert all(one["externalReferences"][0]["hashes"] and one["licenses"] for one in listed.values())
    assert not re.search(r"timestamp|file:|/root|/home|/work", text)


def test_what_is_installed_is_what_is_listed() -> None:
    for one in pinned():
        assert importlib.metadata.version(one.name) == one.version


@pytest.mark.parametrize("one", everything(), ids=lambda one: one.name)
def test_no_licence_is_unknown_or_does_not_go_with_ours(one: Pinned | Vendored) -> None:
    assert any(alternative <= ALLOWED for alternative in terms(one.licence)), one.licence


@pytest.mark.parametrize("bad", ["unknown", "AGPL-3.0-only", "GPL-3.0-only AND MIT", "Proprietary", "BSD"])
def test_a_licence_that_does_not_go_with_ours_is_seen(bad: str) -> None:
    assert not any(alternative <= ALLOWED for alternative in terms(bad))


def test_wheels_with_libraries_inside_are_listed() -> None:
    """Auditwheel puts what it bundles into <package>.libs."""
    inside = set()
    for one in pinned():
        files = importlib.metadata.files(one.name) or []
        if any(re.match(r"[\w.-]+\.libs/", str(file)) for file in files):
            inside.add(one.name)
    assert inside <= set(BUNDLED)


if __name__ == "__main__":
    SBOM.write_text(bill())
    LICENCES.write_text(page())
