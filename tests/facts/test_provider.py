"""The provider's facts: complete, typed, the same as their source says."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from facts.google.resource_ids import parts_of, template_of, templates
from facts.google.service_agents import PRIMARY, agent_email, service_of
from facts.provider import all_types, facts_for, find_property, origin
from sandbox.cloud.package import package_type

DATA = Path("facts/data/provider.json")


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("provider_facts", "tools/provider_facts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_names_its_origin_and_knows_the_types() -> None:
    assert "7.45.0" in origin()
    assert len(all_types()) == 372
    assert facts_for("gcp:compute/instance:Instance") is None
    assert facts_for("") is None


def test_reads_a_type() -> None:
    facts = facts_for("gcp:sql/databaseInstance:DatabaseInstance")
    assert facts is not None
    assert facts.terraform == "google_sql_database_instance"
    assert facts.properties["settings"].properties["databaseFlags"].type == "set"
    assert facts.properties["rootPassword"].sensitive
    assert not facts.properties["connectionName"].is_input
    found = find_property(facts, "settings.databaseFlags[0].value")
    assert found is not None
    assert found.required
    assert find_property(facts, "settings.nothing") is None


def test_relations_are_in_pulumis_spelling() -> None:
    facts = facts_for("gcp:secretmanager/secret:Secret")
    assert facts is not None
    auto = facts.properties["replication"].properties["auto"]
    assert auto.exactly_one_of == ("replication.auto", "replication.userManaged")
    assert facts.properties["rotation"].required_with == ("topics",)


def test_output_labels_have_the_bridges_name() -> None:
    facts = facts_for("gcp:pubsub/topic:Topic")
    assert facts is not None
    assert "pulumiLabels" in facts.properties
    assert "terraformLabels" not in facts.properties


def test_the_tool_writes_the_same_bytes_again(tmp_path: Path) -> None:
    tool = _tool()
    raw = {
        "gcp:b/x:X": {
            "terraform": "google_x",
            "crossFieldChecks": False,
            "updatable": False,
            "timeoutMinutes": {},
            "properties": {
                "first": {
                    "type": "list",
                    "of": "object",
                    "optional": True,
                    "terraform": "first_block",
                    "properties": {
                        "aName": {
                            "type": "string",
                            "required": True,
                            "conflictsWith": ["first_block.0.b_name"],
                        },
                        "bName": {"type": "integer", "optional": True, "range": ["1", "5"]},
                    },
                },
            },
        },
    }
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps(raw), encoding="utf-8")
    output = tmp_path / "out.json"
    assert tool.main([str(dump), str(output)]) == 0
    lines = output.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "{"
    assert lines[-1] == "}"
    written = json.loads(output.read_text(encoding="utf-8"))["gcp:b/x:X"]["properties"]["first"]
    assert written["properties"]["aName"] == {"is": "r", "conflictsWith": ["first.bName"]}
    assert written["properties"]["bName"] == {"type": "integer", "is": "o", "range": ["1", "5"]}
    first = output.read_bytes()
    assert tool.main([str(dump), str(output)]) == 0
    assert output.read_bytes() == first
    assert tool.main([]) == 2


def test_the_data_file_is_one_sorted_type_a_line() -> None:
    lines = DATA.read_text(encoding="utf-8").splitlines()
    tokens = [line.split('"')[1] for line in lines[1:-1]]
    assert tokens == sorted(tokens)
    assert len(tokens) == 373


@pytest.mark.parametrize("area", ["pubsub", "kms", "redis", "sql"])
def test_the_installed_package_agrees_on_the_inputs(area: str) -> None:
    # Newer fields of the package are no contradiction; a fact that the package does not know would be.
    for type in all_types():
        if not type.startswith(f"gcp:{area}/"):
            continue
        facts, package = facts_for(type), package_type(type)
        assert facts is not None
        assert package is not None, type
        inputs = {name for name, item in facts.properties.items() if item.is_input}
        assert inputs <= package.inputs, type


def test_every_type_has_an_id_of_its_own_inputs() -> None:
    for type in all_types():
        template = template_of(type)
        assert template is not None, type
        facts = facts_for(type)
        assert facts is not None
        for part in parts_of(template):
            if part.mark not in {"=", "+"}:
                found = facts.properties.get(part.text)
                assert found is not None, (type, template)
                assert found.is_input, (type, template, part.text)
    assert len(templates()) == len(all_types())


def test_service_agents() -> None:
    assert agent_email("redis.googleapis.com", "12") == "service-12@cloud-redis.iam.gserviceaccount.com"
    assert agent_email("compute", "12") is None
    for service in PRIMARY:
        email = agent_email(service, "12")
        assert email is not None
        assert service_of(email) == service
    assert service_of("someone@project.iam.gserviceaccount.com") is None
