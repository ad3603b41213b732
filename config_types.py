"""The types of single values in the stack configuration, and their patterns in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import partial
from ipaddress import ip_network
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from facts.codes import COUNTRIES
from facts.images import BY_DIGEST
from facts.names import check_name
from facts.places import EuRegion
from facts.refusal import RefusedError


class Section(BaseModel):
    """What every part of the settings has in common."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


Region = EuRegion
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[a-z0-9.-]+\.[a-z]{2,}$")]
Hostname = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$", max_length=253)]
HostLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Digest = Annotated[str, Field(pattern=BY_DIGEST)]
# Physical names, as Google accepts them.
InstanceName = Annotated[str, AfterValidator(partial(check_name, "database instance"))]
CacheName = Annotated[str, AfterValidator(partial(check_name, "redis instance"))]
KeyName = Annotated[str, AfterValidator(partial(check_name, "key"))]
SecretName = Annotated[str, AfterValidator(partial(check_name, "secret"))]
TopicName = Annotated[str, AfterValidator(partial(check_name, "topic"))]
RunName = Annotated[str, AfterValidator(partial(check_name, "run service"))]
# Who works in a pool; the batch one stands where it is given bounds.
PoolRole = Literal["worker", "batch"]


def _country(value: str) -> str:
    if value not in COUNTRIES:
        raise RefusedError(f"must be a country code of ISO 3166-1 such as KP, got {value!r}; correct it")
    return value


def _range(value: str) -> str:
    try:
        network = ip_network(value)
    except ValueError as error:
        raise RefusedError(f"must be a CIDR range, got {value!r} ({error}); correct it") from None
    least = _WIDEST_RANGE[network.version]
    if network.prefixlen < least:
        raise RefusedError(f"must be /{least} or narrower, got {value!r}; list the addresses that need it")
    return value


# What one range may exempt or deny at most: a provider's block, not half the Internet.
_WIDEST_RANGE = {4: 16, 6: 32}
AddressRange = Annotated[str, AfterValidator(_range)]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$"), AfterValidator(_country)]
ProjectId = Annotated[str, AfterValidator(partial(check_name, "project id"))]
RepositoryName = Annotated[str, AfterValidator(partial(check_name, "repository"))]
ProjectNumber = Annotated[str, Field(pattern=r"^[1-9][0-9]{5,18}$")]
DatabaseName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
Origin = Annotated[str, Field(pattern=r"^https://([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(:[0-9]{1,5})?$")]
ChannelKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        # A machine without the database of zones cannot tell.
        if available_timezones():
            raise RefusedError(
                f"must be a zone of the tz database such as Europe/Paris, got {value!r}; correct it"
            ) from None
    return value


TimeZone = Annotated[str, AfterValidator(_time_zone)]
Tier = Annotated[
    str, Field(pattern=r"^db-(custom-[0-9]+-[0-9]+|perf-optimized-N-[0-9]+|c4a-highmem-[0-9]+(-lssd)?)$")
]
PathPrefix = Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]+$")]


def _day(value: str) -> str:
    try:
        good = date.fromisoformat(value).isoformat() == value
    except ValueError:
        good = False
    if not good:
        raise RefusedError(f"must be a day such as 2027-01-31, got {value!r}; correct it")
    return value


# A name that stands in names of resources, headers and tags.
ShortKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
RevisionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
BucketName = Annotated[str, AfterValidator(partial(check_name, "bucket"))]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
# Of a header or of a cookie.
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
AddressName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,9}$")]
Day = Annotated[str, AfterValidator(_day)]
QueueName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]{1,100}$")]
SchemaRevision = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]


def _upstream(value: str) -> str:
    if _UPSTREAM.fullmatch(value) is None:
        raise RefusedError(
            f"must be projects/P/locations/L/repositories/R or https://HOST, got {value!r}; correct it"
        )
    return value


_UPSTREAM = re.compile(
    r"projects/[a-z0-9:.-]+/locations/[a-z0-9-]+/repositories/[a-z0-9-]+"
    r"|https://[a-z0-9.-]+\.[a-z]+(/[a-z0-9._-]+)*"
)
# What a mirror fetches from.
Upstream = Annotated[str, AfterValidator(_upstream)]


def _groups(value: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for address in value:
        name = address.partition("@")[0]
        if name in seen:
            raise RefusedError(
                "must differ in what stands before the @, which names the grant, got "
                f"{seen[name]} and {address}; give the rights to one group that holds both"
            )
        seen[name] = address
    return value


# Each holds a grant that is named by what stands before its @.
Groups = Annotated[tuple[Email, ...], AfterValidator(_groups)]
HourOfDay = Annotated[int, Field(ge=0, le=23)]

# Patterns in words, for the sentence that refuses a value.
PATTERNS = {
    r"^[^@\s]+@[a-z0-9.-]+\.[a-z]{2,}$": "a mail address",
    r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$": "a host name in lower case such as api.example.com",
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$": "one label of a host name",
    BY_DIGEST: "an image by digest, HOST/PATH@sha256:DIGEST",
    r"^db-(custom-[0-9]+-[0-9]+|perf-optimized-N-[0-9]+|c4a-highmem-[0-9]+(-lssd)?)$": (
        "a dedicated tier such as db-custom-2-7680 (processors, memory in MB)"
    ),
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "a time of day in UTC such as 03:00",
    r"^([0-5]?[0-9]) ([01]?[0-9]|2[0-3]) ([1-9]|1[0-9]|2[0-8]) \* \*$": (
        "MINUTE HOUR DAY * * with a day from 1 to 28, such as 30 8 1 * *"
    ),
    r"^#[a-z0-9_-]{1,80}$": "a channel such as #alerts",
    r"^\+[1-9][0-9]{6,14}$": "a telephone number such as +33199000001",
    r"^[a-z][a-z0-9]{0,9}$": "1 to 10 lower-case letters and digits, a letter first",
    r"^[1-9][0-9]{5,18}$": "the number of a project, as text, from `gcloud projects describe`",
    r"^[A-Z]{2}$": "a country code of two capital letters",
    r"^projects/[a-z0-9-]+/locations/[a-z0-9-]+/backupPlans/[a-z0-9-]+$": (
        "the full name of a plan such as projects/P/locations/europe-west1/backupPlans/NAME"
    ),
    r"^[0-9a-f]{8}$": "the 8 hexadecimal digits of a revision of a schema",
    r"^[a-zA-Z0-9-]{1,100}$": "1 to 100 letters, digits and hyphens",
    r"^[0-9]+(Mi|Gi)$": "a size of memory such as 2Gi",
    r"^[a-z][a-z0-9_-]{0,62}$": "a label value of lower-case letters, digits, - and _, a letter first",
    r"^[a-z_][a-z0-9_]{0,62}$": "a name of lower-case letters, digits and _, no digit first",
    r"^https://([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(:[0-9]{1,5})?$": (
        "an https origin without a path or a wildcard such as https://app.example.com"
    ),
    r"^[a-z][a-z0-9-]{0,19}$": "1 to 20 lower-case letters, digits and hyphens, a letter first",
    r"^[a-z][a-z0-9-]{0,62}$": "the name of a revision such as aiprod-v33-api-00042-abc",
    r"^[A-Za-z0-9-]{1,64}$": "1 to 64 letters, digits and hyphens",
    r"^[A-Za-z0-9._-]{1,64}$": "1 to 64 letters, digits, dots, hyphens and underscores",
    r"^[a-z][a-z0-9-]{0,39}$": "1 to 40 lower-case letters, digits and hyphens, a letter first",
    r"^/[^\s?#]*$": "a path that begins with a slash, without spaces, ? and #",
    r"^https://.*[^/]$": "an https address with no slash at its end",
    r"^/[A-Za-z0-9/_.-]+$": "a path that begins with a slash, of letters, digits and /_.-",
}


def refuse_other_purposes(field: str, given: Iterable[str], wired: tuple[str, ...]) -> None:
    """Refuse purposes that nothing uses, and the lack of one that something does."""
    found = set(given)
    for purpose in sorted(found - set(wired)):
        raise RefusedError(
            f"{field} must name {', '.join(wired)}, got {purpose!r}, which nothing uses; remove or rename it"
        )
    missing = [purpose for purpose in wired if purpose not in found]
    if missing:
        raise RefusedError(f"{field} must name {', '.join(wired)}, got no {', '.join(missing)}; add it")
