"""Cloud Armor's preconfigured sets, answered by the OWASP Core Rule Set itself on libmodsecurity.

One set is one file of the Core Rule Set. One match denies: Cloud Armor knows no anomaly score. The signatures
enabled are those whose paranoia level is at most the declared sensitivity, without the opted out ones. A set
that the Core Rule Set does not hold, or whose version is not the installed one, cannot be answered: opening
it raises NotEvaluatedError, and nobody may count that as passed.

Google says that a body is one text for the signatures unless it is JSON, and also that parameters stand in
bodies; so forms are read as forms, and a multipart body both ways: an attack in it counts as found only when
both readings find it, a benign request as let through only when both let it through.

Sources: Google Cloud documentation, "Tune preconfigured WAF rules" (sensitivity, opt out, opt in, excluded
fields, of which a parameter may stand in the query or in the body), "Request body content parsing" (a body is
one text but where JSON is declared), "Preconfigured WAF rules overview" (sets, versions).

`python -m review.waf.rulesets FILE...` shows what each set at paranoia level 1 finds in a corpus.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from review.waf.corpus import Request, load
from review.waf.fields import Exclusion, without
from sandbox.errors import UsageError

if TYPE_CHECKING:
    import libmodsecurity

__all__ = ["FILES", "RULES_FOLDER", "CoreRules", "Inspection", "NotEvaluatedError", "RuleSet", "SetCall"]

RULES_FOLDER: Final = Path("/usr/share/modsecurity-crs/rules")
"""Where Debian's and Ubuntu's package modsecurity-crs puts the Core Rule Set."""

FILES: Final[Mapping[str, str]] = {
    "methodenforcement": "REQUEST-911-METHOD-ENFORCEMENT.conf",
    "scannerdetection": "REQUEST-913-SCANNER-DETECTION.conf",
    "protocolattack": "REQUEST-921-PROTOCOL-ATTACK.conf",
    "lfi": "REQUEST-930-APPLICATION-ATTACK-LFI.conf",
    "rfi": "REQUEST-931-APPLICATION-ATTACK-RFI.conf",
    "rce": "REQUEST-932-APPLICATION-ATTACK-RCE.conf",
    "php": "REQUEST-933-APPLICATION-ATTACK-PHP.conf",
    "nodejs": "REQUEST-934-APPLICATION-ATTACK-NODEJS.conf",
    "xss": "REQUEST-941-APPLICATION-ATTACK-XSS.conf",
    "sqli": "REQUEST-942-APPLICATION-ATTACK-SQLI.conf",
    "sessionfixation": "REQUEST-943-APPLICATION-ATTACK-SESSION-FIXATION.conf",
    "java": "REQUEST-944-APPLICATION-ATTACK-JAVA.conf",
}
UNPUBLISHED: Final = ("cve-", "json-sqli-")
"""Sets of Google's own signatures, which stand in no version 3 of the Core Rule Set."""

BODY_UNREAD: Final = 100
"""Our own rule that tells when the engine could not parse a body."""

# The head of a file; single rules carry later versions where a distribution took over a correction.
_VERSION: Final = re.compile(
    r"^# OWASP (?:ModSecurity Core Rule Set|CRS) ver\.([0-9]+(?:\.[0-9]+)+)$", re.MULTILINE
)
_METHODS: Final = re.compile(r"setvar:'tx\.allowed_methods=([^']*)'")
_CALL: Final = re.compile(r"([a-z]+)-v([0-9])([0-9]{1,2})-(?:stable|canary)")
_PARANOIA: Final = re.compile(r"paranoia-level/([1-4])")

Mode = Literal["none", "form", "json", "multipart", "text"]


# A multipart body needs none: the engine goes by its content type.
_PROCESSORS: Final[Mapping[Mode, str]] = {"form": "URLENCODED", "json": "JSON", "text": "URLENCODED"}


class NotEvaluatedError(Exception):
    """A set that cannot be answered here. ``expected`` for one that nobody outside Google can answer."""

    def __init__(self, reason: str, *, expected: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.expected = expected


@dataclass(frozen=True, slots=True)
class SetCall:
    """What one ``evaluatePreconfiguredWaf`` asks for. Signatures are the six digits of their ids."""

    name: str
    sensitivity: int = 4
    opt_out: frozenset[int] = frozenset()
    opt_in: frozenset[int] = frozenset()

    def enables(self, signature: int, level: int) -> bool:
        """Whether a signature of that paranoia level is asked."""
        return signature not in self.opt_out and (level <= self.sensitivity or signature in self.opt_in)


@dataclass(frozen=True, slots=True)
class Inspection:
    """How much of a body is read, and of which content types as JSON."""

    body_bytes: int = 8192
    json_types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CoreRules:
    """The installed Core Rule Set with its engine."""

    folder: Path
    version: str
    engine: str

    @staticmethod
    def find(folder: Path = RULES_FOLDER) -> CoreRules:
        """What is installed. Raises NotEvaluatedError where engine or rules are missing."""
        if find_spec("libmodsecurity") is None:
            raise NotEvaluatedError("libmodsecurity is not installed here: pip has it for Linux on x86-64")
        versions = {
            version
            for path in folder.glob("REQUEST-9*.conf")
            for version in _VERSION.findall(path.read_text(encoding="utf-8"))
        }
        if not versions:
            raise NotEvaluatedError(f"{folder} holds no Core Rule Set: install the package modsecurity-crs")
        if len(versions) > 1:
            raise NotEvaluatedError(f"{folder} mixes versions {', '.join(sorted(versions))}: install one")
        return CoreRules(folder, versions.pop(), _engine().who_am_i())

    def open(self, call: SetCall, exclusions: Iterable[Exclusion], inspection: Inspection) -> RuleSet:
        """The set of one call. Raises NotEvaluatedError where it cannot be answered."""
        if call.name.startswith(UNPUBLISHED):
            raise NotEvaluatedError(
                f"{call.name} holds signatures of Google that are not published", expected=True
            )
        found = _CALL.fullmatch(call.name)
        if found is None or found[1] not in FILES:
            raise NotEvaluatedError(f"{call.name} is no set of the Core Rule Set")
        declared = f"{found[2]}.{found[3]}"
        if not f"{self.version}.".startswith(f"{declared}."):
            raise NotEvaluatedError(f"{call.name} is of version {declared}, installed is {self.version}")
        path = self.folder / FILES[found[1]]
        if not path.exists():
            raise NotEvaluatedError(f"{path.name} is missing in {self.folder}: install modsecurity-crs again")
        mine = tuple(item for item in exclusions if item.rule_set in {call.name, "*"})
        return RuleSet(call, mine, inspection, path)


@dataclass(slots=True)
class RuleSet:
    """One set, ready to judge requests."""

    call: SetCall
    exclusions: tuple[Exclusion, ...]
    inspection: Inspection
    path: Path
    compiled: dict[Mode, libmodsecurity.RulesSet] = field(default_factory=dict[Mode, Any])

    def signatures(self, request: Request) -> tuple[int, ...]:
        """The ids of the enabled signatures that match, in order; none means that the set lets it pass."""
        body = request.body[: self.inspection.body_bytes]
        answers = [self._unexcluded(request, body, mode) for mode in self._readings(request, body)]
        if request.kind == "attack" and not all(answers):
            return ()
        return tuple(sorted(set[int]().union(*answers)))

    def _readings(self, request: Request, body: bytes) -> tuple[Mode, ...]:
        if not body:
            return ("none",)
        content = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if content in self.inspection.json_types:
            return ("json",)
        if content == "multipart/form-data":
            return ("multipart", "text")
        return ("form",) if content == "application/x-www-form-urlencoded" else ("text",)

    def _unexcluded(self, request: Request, body: bytes, mode: Mode) -> frozenset[int]:
        found = self._run(request, body, mode)
        if not found or not self.exclusions:
            return found
        kept: set[int] = set()
        answers: dict[tuple[Exclusion, ...], frozenset[int]] = {}
        for signature in found:
            applying = tuple(item for item in self.exclusions if item.covers(signature))
            if applying and applying not in answers:
                bare, bare_body = without(request, body, applying, is_json=mode == "json")
                answers[applying] = self._run(bare, bare_body, mode)
            if not applying or signature in answers[applying]:
                kept.add(signature)
        return frozenset(kept)

    def _run(self, request: Request, body: bytes, mode: Mode) -> frozenset[int]:
        found = self._ask(request, body, mode)
        if mode == "json" and BODY_UNREAD in found:
            # Cut off or no JSON: then it is one text, as every other body.
            found = self._ask(request, body, "text")
        return frozenset(
            number
            for number, level in found.items()
            if number != BODY_UNREAD and self.call.enables(number, level)
        )

    def _ask(self, request: Request, body: bytes, mode: Mode) -> dict[int, int]:
        """Matching signatures with their paranoia levels."""
        from libmodsecurity import Transaction

        if mode not in self.compiled:
            self.compiled[mode] = _compile(self.path, mode)
        asked = Transaction(_engine(), self.compiled[mode])
        asked.process_connection(request.address, 40000, "192.0.2.1", 443)
        asked.process_uri(request.target, request.method, "1.1")
        for name, value in request.headers:
            asked.add_request_header(name, value)
        asked.process_request_headers()
        if mode == "text":
            asked.append_request_body(b"body=" + quote(body, safe="").encode())
        elif mode != "none":
            asked.append_request_body(body)
        asked.process_request_body()
        return {message.rule_id: _level(message.tags) for message in asked.get_rule_messages()}


@cache
def _engine() -> libmodsecurity.ModSecurity:
    from libmodsecurity import ModSecurity

    engine = ModSecurity()
    engine.set_log_callback(_quiet)
    return engine


def _quiet(_line: str) -> None:
    """Matches are read from the transaction; without this the engine writes each to standard error."""


def _compile(path: Path, mode: Mode) -> libmodsecurity.RulesSet:
    from libmodsecurity import RulesSet

    body = f",ctl:requestBodyProcessor={_PROCESSORS[mode]}" if mode in _PROCESSORS else ""
    methods = _METHODS.findall((path.parent / "REQUEST-901-INITIALIZATION.conf").read_text(encoding="utf-8"))
    rules = RulesSet()
    # Every paranoia level runs; which signatures count is decided by their tags.
    levels = "setvar:tx.executing_paranoia_level=4,setvar:tx.paranoia_level=4"
    allowed = f"setvar:'tx.allowed_methods={methods[0] if methods else ''}'"
    prelude = [
        "SecRuleEngine DetectionOnly",
        "SecRequestBodyAccess On",
        'SecDefaultAction "phase:1,log,pass"',
        'SecDefaultAction "phase:2,log,pass"',
        f'SecAction "id:1,phase:1,pass,nolog,{levels},{allowed}{body}"',
        f'SecRule REQBODY_ERROR "!@eq 0" "id:{BODY_UNREAD},phase:2,pass,log,msg:\'unread\'"',
    ]
    if rules.load("\n".join(prelude)) < 0 or rules.load_from_uri(str(path)) < 0:
        raise NotEvaluatedError(f"{path.name} cannot be loaded: {rules.get_parser_error()}")
    return rules


def _level(tags: Iterable[str]) -> int:
    for tag in tags:
        found = _PARANOIA.fullmatch(tag)
        if found:
            return int(found[1])
    return 1


def main(arguments: list[str]) -> int:
    """Show what the sets find in corpora."""
    inspection = Inspection(65536, frozenset({"application/json"}))
    try:
        rules = CoreRules.find()
        requests = load([Path(argument) for argument in arguments])
    except (UsageError, NotEvaluatedError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sets = {name: rules.open(SetCall(f"{name}-v33-stable", 1), (), inspection) for name in FILES}
    for request in requests:
        found = {name: ids for name, each in sets.items() if (ids := each.signatures(request))}
        shown = " ".join(f"{name}:{','.join(map(str, ids))}" for name, ids in found.items())
        sys.stdout.write(f"{request.id}\t{request.expect}\t{shown or '-'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
