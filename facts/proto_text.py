"""The messages of a protocol buffer definition: whether each field is one that a compiler takes.

Protocol Buffers documentation, "Language Specification" of proto2 and proto3, "Assigning Field Numbers". Read
are messages, enums and their fields; options, extensions and services are stepped over. Groups of proto2,
which nobody should begin with, are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from facts.refusal import RefusedError

__all__ = ["check_fields"]

_SCALARS: Final = frozenset(
    {"double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64"}
    | {"sfixed32", "sfixed64", "bool", "string", "bytes"}
)
_KEYS: Final = _SCALARS - {"double", "float", "bytes"}
_LABELS: Final = frozenset({"optional", "required", "repeated"})
_LAST: Final = 2**29 - 1
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPE: Final = re.compile(r"\.?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]+|0[0-7]*|[1-9][0-9]*")
_TOKEN: Final = re.compile(
    rf"\s*({_TYPE.pattern}|[0-9][0-9A-Za-z_.]*|\"\"|\S)",
)


@dataclass(slots=True)
class _Message:
    name: str
    names: set[str] = field(default_factory=set[str])
    numbers: dict[int, str] = field(default_factory=dict[int, str])
    reserved: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])


@dataclass(frozen=True, slots=True)
class _Named:
    """A type that a field names, to be found once all are known."""

    type: str
    field: str
    message: str


def check_fields(text: str, *, labelled: bool) -> None:
    """Raises RefusedError in words that go on from a field's name. Strings are "" and comments gone.

    `labelled`: proto2, where each field says whether it is optional.
    """
    reader = _Reader([found[1] for found in _TOKEN.finditer(text)], labelled)
    while not reader.done:
        reader.top()
    for one in reader.used:
        wanted = "." + one.type.removeprefix(".")
        if not any(f".{name}".endswith(wanted) for name in reader.declared):
            raise RefusedError(
                f"has field {one.field!r} of message {one.message!r} with type {one.type!r}, which is "
                "neither a scalar type nor defined in it"
            )


class _Reader:
    """Reads on from token to token."""

    def __init__(self, tokens: list[str], labelled: bool) -> None:
        self._tokens = tokens
        self._labelled = labelled
        self._at = 0
        self.declared: set[str] = set()
        self.used: list[_Named] = []
        self._package = ""

    @property
    def done(self) -> bool:
        return self._at >= len(self._tokens)

    def top(self) -> None:
        match self._next():
            case ";":
                pass
            case "syntax":
                self._expect("=", "syntax")
                self._next()
                self._expect(";", "syntax")
            case "package":
                self._package = f"{self._next()}."
                self._expect(";", "package")
            case "message":
                self._message(self._package)
            case "enum":
                self._enum(self._package)
            case "option" | "service" | "extend":
                self._skip()
            case other:
                raise RefusedError(f"has {other!r} where a message, an enum or an option may begin")

    def _message(self, within: str) -> None:
        name = self._word("a message")
        full = f"{within}{name}"
        self.declared.add(full)
        self._expect("{", f"message {name!r}")
        message = _Message(name)
        while (token := self._next()) != "}":
            self._member(token, message, f"{full}.")
        for number, own in message.numbers.items():
            if any(first <= number <= last for first, last in message.reserved):
                raise RefusedError(
                    f"gives field {own!r} of message {name!r} number {number}, which is reserved"
                )

    def _member(self, token: str, message: _Message, within: str) -> None:
        match token:
            case ";":
                pass
            case "message":
                self._message(within)
            case "enum":
                self._enum(within)
            case "oneof":
                self._word("a oneof")
                self._expect("{", f"a oneof of message {message.name!r}")
                while (inner := self._next()) != "}":
                    if inner == "option":
                        self._skip()
                    elif inner != ";":
                        self._field(inner, message)
            case "reserved":
                self._reserved(message)
            case "option" | "extensions" | "extend":
                self._skip()
            case "map" if self._peek() == "<":
                self._map(message)
            case kind:
                self._maybe_labelled(kind, message)

    def _maybe_labelled(self, token: str, message: _Message) -> None:
        where = f"message {message.name!r}"
        if token == "required" and not self._labelled:
            raise RefusedError(f"has a required field in {where}, which proto3 has not")
        if token not in _LABELS and self._labelled and _TYPE.fullmatch(token):
            raise RefusedError(f"has {token!r} in {where} where proto2 says optional, required or repeated")
        kind = self._next() if token in _LABELS else token
        if kind == "group":
            raise RefusedError(f"has a group in {where}: write a message of its own")
        self._field(kind, message)

    def _map(self, message: _Message) -> None:
        self._expect("<", "a map")
        key = self._next()
        if key not in _KEYS:
            raise RefusedError(
                f"has a map in message {message.name!r} with keys of type {key!r}: a number, bool or string"
            )
        self._expect(",", "a map")
        value = self._next()
        self._expect(">", "a map")
        self._field(value, message)

    def _field(self, kind: str, message: _Message) -> None:
        where = f"message {message.name!r}"
        if _TYPE.fullmatch(kind) is None:
            raise RefusedError(f"has {kind!r} where a field of {where} may begin")
        name = self._word(f"a field of {where}")
        self._expect("=", f"field {name!r} of {where}")
        number = self._number(f"field {name!r} of {where}")
        if not 1 <= number <= _LAST or 19_000 <= number <= 19_999:
            raise RefusedError(
                f"gives field {name!r} of {where} number {number}, which must be 1 to {_LAST} without 19000 "
                "to 19999"
            )
        if number in message.numbers:
            raise RefusedError(
                f"gives field {name!r} of {where} number {number}, which {message.numbers[number]!r} has"
            )
        if name in message.names:
            raise RefusedError(f"names field {name!r} of {where} twice")
        message.names.add(name)
        message.numbers[number] = name
        if kind not in _SCALARS:
            self.used.append(_Named(kind, name, message.name))
        self._options(f"field {name!r} of {where}")

    def _enum(self, within: str) -> None:
        name = self._word("an enum")
        self.declared.add(f"{within}{name}")
        self._expect("{", f"enum {name!r}")
        values: set[str] = set()
        while (token := self._next()) != "}":
            if token in {"option", "reserved"}:
                self._skip()
            elif token != ";":
                self._expect("=", f"value {token!r} of enum {name!r}")
                negative = self._peek() == "-"
                self._at += negative
                self._number(f"value {token!r} of enum {name!r}")
                if token in values:
                    raise RefusedError(f"names value {token!r} of enum {name!r} twice")
                values.add(token)
                self._options(f"value {token!r} of enum {name!r}")
        if not values:
            raise RefusedError(f"must give enum {name!r} a value, and it has none")

    def _reserved(self, message: _Message) -> None:
        """Numbers and ranges of them; names are strings, which are gone."""
        where = f"what message {message.name!r} reserves"
        while True:
            if self._peek() == '""':
                self._next()
            else:
                first = self._number(where)
                last = first
                if self._peek() == "to":
                    self._next()
                    last = _LAST if self._peek() == "max" else self._number(where)
                    self._at += self._peek() == "max"
                message.reserved.append((first, last))
            if self._next() == ";":
                return

    def _options(self, where: str) -> None:
        depth = 0
        while depth or self._peek() == "[":
            token = self._next()
            depth += (token == "[") - (token == "]")
        self._expect(";", where)

    def _skip(self) -> None:
        """To the end of a statement, or of the block that it opens."""
        depth = 0
        while True:
            token = self._next()
            depth += (token == "{") - (token == "}")
            if depth == 0 and token in {";", "}"}:
                return

    def _number(self, where: str) -> int:
        token = self._next()
        if _NUMBER.fullmatch(token) is None:
            raise RefusedError(f"has {token!r} in {where} where a whole number must stand")
        return int(token, 16 if token[:2].lower() == "0x" else 8 if token[0] == "0" else 10)

    def _word(self, what: str) -> str:
        token = self._next()
        if _WORD.fullmatch(token) is None:
            raise RefusedError(f"has {token!r} where the name of {what} must stand")
        return token

    def _expect(self, token: str, where: str) -> None:
        found = self._next()
        if found != token:
            raise RefusedError(f"has {found!r} in {where} where {token!r} must stand")

    def _peek(self) -> str:
        return "" if self.done else self._tokens[self._at]

    def _next(self) -> str:
        if self.done:
            raise RefusedError("ends in the middle of a statement")
        self._at += 1
        return self._tokens[self._at - 1]
