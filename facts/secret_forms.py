"""How well-known secrets look, so that one in a readable place is refused before it is kept there.

The formats are their issuers' own; GitHub's secret scanning documents most of them. A text that merely is
random is no finding: names, digests and ids are random too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["named_like_secret", "secret_form"]

_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a service account key": re.compile(r'"private_key(?:_id)?"\s*:'),
    "a Google API key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a Google OAuth secret": re.compile(r"\bGOCSPX-[0-9A-Za-z_-]{20,}|\bya29\.[0-9A-Za-z_-]{20,}"),
    "a Slack token": re.compile(r"\bxox[abeprs]-[0-9A-Za-z-]{8,}"),
    "a Slack webhook": re.compile(r"hooks\.slack\.com/services/T\w+/B\w+/\w+"),
    "a GitHub token": re.compile(r"\b(?:gh[oprsu]_[0-9A-Za-z]{36,}|github_pat_\w{22,})"),
    "an API key": re.compile(r"\bsk[-_][0-9A-Za-z_-]{20,}"),
    "a signed token": re.compile(r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}"),
    "an address with a password": re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s:@]+@"),
}
_NAME: Final = re.compile(
    r"(?:^|[_-])(?:password|passwd|token|secret|api[_-]?key|private[_-]?key)$", re.IGNORECASE
)


def secret_form(text: str) -> str | None:
    """What kind of secret a text holds, if it has the form of one."""
    return next((kind for kind, pattern in _FORMS.items() if pattern.search(text)), None)


def named_like_secret(name: str) -> bool:
    """Whether a key is called as one calls what holds a secret value."""
    return _NAME.search(name) is not None
