"""The words that the documentation of a property allows, where it says so without doubt.

It is prose, so it is read narrowly: a sentence that announces the values and then holds nothing but them.
What is left out is checked by nobody, what is read wrongly would refuse what Google accepts.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

__all__ = ["documented_words"]

_TOKEN: Final = r"[A-Za-z0-9][A-Za-z0-9_+./-]*"
_QUOTED: Final = rf"`{_TOKEN}`|\"{_TOKEN}\"|'{_TOKEN}'|`\"{_TOKEN}\"`"
_CAPITALS: Final = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b(?![a-z-])"
_WORD: Final = rf"(?:{_QUOTED}|{_CAPITALS})"
_BETWEEN: Final = r"(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+)"
_LEAD: Final = (
    r"(?:\b(?:possible|valid|allowed|accepted|supported)\s+values\b(?:\s+are)?\s*:?"
    r"|\bmay\s+be\s+one\s+of\s*:?|\bmust\s+be\s+(?:either|one\s+of)\s*:?)"
)
_LEADS: Final = re.compile(_LEAD, re.IGNORECASE)
_LIST: Final = re.compile(rf"\s*(?P<words>{_WORD}(?:{_BETWEEN}{_WORD})*)(?=\s*(?:\.(?:\s|$)|\Z|\n\s*\n))")
_BULLET: Final = re.compile(r"^\s*[*+-]\s+(?P<text>.*)$", re.MULTILINE)
_ITEM: Final = re.compile(rf"(?P<word>{_WORD})\s*(?:$|[:.,(-])")
_ONE: Final = re.compile(_WORD)
_DEFAULT: Final = re.compile(rf"\bdefaults?\b[^.\n]*?({_QUOTED})", re.IGNORECASE)


@cache
def documented_words(text: str) -> tuple[str, ...]:
    """The values that ``text`` allows, in its order; empty when it does not say or could be read two ways."""
    found: list[str] = []
    for lead in _LEADS.finditer(text):
        words = _words_after(text[lead.end() :])
        if not words:
            return ()
        found.extend(words)
    # One word alone is an example or a constant of today; a default outside the list shows that it lacks one.
    if len(set(found)) < 2 or any(_bare(word) not in found for word in _DEFAULT.findall(text)):
        return ()
    return tuple(dict.fromkeys(found))


def _words_after(rest: str) -> list[str]:
    listed = _LIST.match(rest)
    if listed is not None:
        return [_bare(word) for word in _ONE.findall(listed["words"])]
    head, _, _ = rest.partition("\n")
    if head.strip():
        return []
    items = [_ITEM.match(bullet["text"]) for bullet in _BULLET.finditer(rest)]
    return [_bare(item["word"]) for item in items if item is not None] if all(items) else []


def _bare(word: str) -> str:
    return word.strip("`\"'")
