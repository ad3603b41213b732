"""Certificate Manager."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, plain
from sandbox.cloud.paths import canonical

_CERTIFICATE: Final = "gcp:certificatemanager/certificate:Certificate"
_CERTIFICATE_MAP: Final = "gcp:certificatemanager/certificateMap:CertificateMap"
_ENTRY: Final = "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry"
_DNS: Final = "gcp:certificatemanager/dnsAuthorization:DnsAuthorization"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_INVALID: Final = "INVALID_ARGUMENT"


@behaviour(
    "CRT-001",
    _CERTIFICATE,
    Phase.CREATE,
    400,
    _INVALID,
    "terraform-provider-google-beta website/docs/r/certificate_manager_certif",
)
def wildcard(call: Call) -> Iterator[Problem]:
    """A wildcard needs authorization by DNS, and so does every domain beside it."""
    domains, authorizations = call.texts("managed.domains"), call.texts("managed.dnsAuthorizations")
    if any(domain.startswith("*.") for domain in domains) and not authorizations:
        yield Problem(
            "managed.dnsAuthorizations", "`managed.dnsAuthorizations` is needed for a wildcard; name one."
        )
        return
    covered = {
        str(plain(record.inputs.get("domain")))
        for path in authorizations
        if (record := call.world.at(canonical(path))) is not None
    }
    if authorizations:
        for index, domain in enumerate(domains):
            if domain.removeprefix("*.") not in covered:
                where = f"managed.domains[{index}]"
                yield Problem(where, f"`{where}`: no DNS authorization covers {domain}; add one.")


@behaviour("CRT-009", _ENTRY, Phase.CREATE, 409, "ALREADY_EXISTS", "general knowledge of Certificate Manager")
def entry_twice(call: Call) -> Iterator[Problem]:
    """The map has an entry for this hostname already."""
    own = (call.text("map").rsplit("/", 1)[-1], call.text("hostname"), call.text("matcher"))
    for record in call.world.find(_ENTRY):
        inputs = plain(record.inputs)
        other = (
            str(inputs.get("map")).rsplit("/", 1)[-1],
            str(inputs.get("hostname") or ""),
            str(inputs.get("matcher") or ""),
        )
        if own == other:
            yield Problem(
                "hostname", f"{record.id} already matches {own[1] or own[2]} in this map; keep one."
            )


@behaviour("CRT-011", _ENTRY, _BOTH, 400, _INVALID, "general knowledge of Certificate Manager quotas")
def entry_certificates(call: Call) -> Iterator[Problem]:
    """An entry takes at most four certificates."""
    count = len(as_list(call.get("certificates")) or [])
    if count > 4:
        yield Problem("certificates", f"`certificates` takes at most 4 certificates, not {count}.")


@behaviour(
    "CRT-013",
    _DNS,
    Phase.CREATE,
    400,
    _INVALID,
    "terraform-provider-google-beta website/docs/r/certificate_manager_dns_au",
)
def authorized_domain(call: Call) -> Iterator[Problem]:
    """An authorization is for a plain domain."""
    domain = call.text("domain")
    if domain.startswith("*") or domain.endswith("."):
        yield Problem("domain", f"`domain` must be without wildcard and final dot, not {domain!r}.")


@behaviour(
    "CRT-015",
    (_CERTIFICATE, _CERTIFICATE_MAP, _ENTRY, _DNS),
    Phase.CREATE,
    400,
    _INVALID,
    "terraform-provider-google-beta website/docs/r/certificate_manager_certif",
)
def certificate_name(call: Call) -> Iterator[Problem]:
    """A name outside Google's form."""
    name = call.text("name")
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}", name):
        yield Problem(
            "name",
            "`name` must be 1 to 64 letters, digits, dashes, underscores and start with a letter, not "
            f"{name!r}.",
        )
