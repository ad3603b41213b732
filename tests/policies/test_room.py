"""The room itself: its page, its names, its imports, and the properties that its rules speak of."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import policies
from facts.provider import PropertyFacts, all_types, facts_for
from policies.model import Rule
from policies.places import LABELS
from policies.rules import RULES
from tests.policies.good import GOOD
from tools import policy_page

_FOLDER = Path(policies.__file__).parent
_MODULES = sorted(module.name for module in pkgutil.iter_modules([str(_FOLDER)]))


def test_page_is_what_the_rules_say() -> None:
    assert policy_page.main(["--check"]) == 0


def test_fails_when_the_page_is_stale(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    page = tmp_path / "policies.md"
    page.write_text("old", encoding="utf-8")
    monkeypatch.setattr(policy_page, "PAGE", page)
    assert policy_page.main(["--check"]) == 1
    assert "run python -m tools.policy_page" in capsys.readouterr().out
    assert policy_page.main([]) == 0
    assert policy_page.main(["--check"]) == 0


def test_page_names_every_rule() -> None:
    text = policy_page.render()
    assert all(f"| `{rule.id}` |" in text for rule in RULES)
    assert "|  |" not in text


def test_no_module_hides_one_of_the_standard_library() -> None:
    """Pulumi starts the pack with this folder first on the module path."""
    assert [name for name in _MODULES if name in sys.stdlib_module_names] == []


def test_every_rule_that_is_written_is_applied() -> None:
    written: set[str] = set()
    for name in _MODULES:
        if name != "__main__":
            module = importlib.import_module(f"policies.{name}")
            written |= {value.id for value in vars(module).values() if isinstance(value, Rule)}
    assert written == {rule.id for rule in RULES}


def test_rules_import_the_standard_library_and_facts_only() -> None:
    for name in _MODULES:
        allowed = {*sys.stdlib_module_names, "facts", "policies"}
        if name == "__main__":
            allowed.add("pulumi_policy")
        assert set(_imports(_FOLDER / f"{name}.py")) <= allowed, name


def test_labelled_types_are_those_of_the_provider() -> None:
    """Left out are types whose labels mean something else, and those that this house does not use."""
    other = (
        "monitoring/",
        "cloudidentity/",
        "networkconnectivity/",
        "eventarc/",
        "clouddeploy/",
        "compute/externalVpn",
    )
    settable = {type for type in all_types() if _has_input(type, "labels")}
    missing = {type for type in settable - set(LABELS) if not type.removeprefix("gcp:").startswith(other)}
    assert missing == set()
    for type, path in LABELS.items():
        if facts_for(type) is not None:
            assert _has_input(type, path), type


def test_good_platform_uses_properties_that_the_provider_has() -> None:
    unknown = [
        f"{one.type} {path}"
        for one in GOOD
        if (facts := facts_for(one.type)) is not None
        for path in _unknown_paths(one.props, facts.properties)
    ]
    assert unknown == []


def test_types_of_rules_are_types_of_the_provider() -> None:
    """Types outside the facts are those of services that the facts were not read for."""
    named = {type for rule in RULES for type in rule.types or ()}
    outside = {type for type in named if facts_for(type) is None}
    assert outside <= {
        "gcp:appengine/flexibleAppVersion:FlexibleAppVersion",
        "gcp:appengine/standardAppVersion:StandardAppVersion",
        "gcp:cloudfunctions/function:Function",
        "gcp:cloudrun/service:Service",
        "gcp:compute/instance:Instance",
        "gcp:compute/instanceTemplate:InstanceTemplate",
        "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
        "gcp:compute/regionSslCertificate:RegionSslCertificate",
        "gcp:compute/sSLCertificate:SSLCertificate",
        "gcp:compute/targetSSLProxy:TargetSSLProxy",
        "gcp:compute/targetTCPProxy:TargetTCPProxy",
        "gcp:organizations/iAMCustomRole:IAMCustomRole",
    }


def _has_input(type: str, path: str) -> bool:
    facts = facts_for(type)
    properties: Mapping[str, PropertyFacts] = {} if facts is None else facts.properties
    found: PropertyFacts | None = None
    for part in path.split("."):
        found = properties.get(part)
        properties = {} if found is None else found.properties
    return found is not None and found.is_input


def _unknown_paths(value: Any, properties: Mapping[str, PropertyFacts], path: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _unknown_paths(item, properties, path)
    elif isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Any]", value).items():
            facts = properties.get(key)
            if facts is None or not facts.is_input:
                yield f"{path}{key}"
            elif facts.properties:
                yield from _unknown_paths(item, facts.properties, f"{path}{key}.")


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module.split(".")[0]
