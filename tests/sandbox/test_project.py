"""Project and stack files: read as the CLI reads them, refused with one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import UsageError
from sandbox.project import load_project, load_stack

_PROJECT = """
name: demo
runtime: {name: python}
config:
  region: {type: string, description: where}
  count: {type: integer, default: 3}
  on: {type: boolean, default: true}
  zones: {type: array, items: {type: string}, default: [a]}
  shape: {type: object, default: {}}
  token: {type: string, secret: true, default: ""}
  "gcp:project": p
"""


def _write(folder: Path, stack: str, project: str = _PROJECT) -> None:
    (folder / "Pulumi.yaml").write_text(project, encoding="utf-8")
    (folder / "Pulumi.dev.yaml").write_text(stack, encoding="utf-8")


def test_values_become_the_strings_a_program_receives(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: r, demo:shape: {a: [1, true]}, 'other:x': 1.5}")
    settings = load_stack(load_project(tmp_path), "dev")
    assert settings.values == {
        "demo:region": "r",
        "demo:count": "3",
        "demo:on": "true",
        "demo:zones": '["a"]',
        "demo:shape": '{"a":[1,true]}',
        "demo:token": "",
        "gcp:project": "p",
        "other:x": "1.5",
    }


def test_numbers_and_booleans_may_be_text_as_the_cli_writes_them(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: r, demo:count: '-7', demo:on: 'false'}")
    settings = load_stack(load_project(tmp_path), "dev")
    assert (settings.values["demo:count"], settings.values["demo:on"]) == ("-7", "false")


def test_an_encrypted_value_is_secret_opaque_and_compared_by_its_ciphertext(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: r, demo:token: {secure: 'v1:abc:def'}}")
    first = load_stack(load_project(tmp_path), "dev")
    assert first.secret_keys == {"demo:token"}
    assert "v1:abc:def" not in str(dict(first.values))
    _write(tmp_path, "config: {demo:region: r, demo:token: {secure: 'v1:abc:deg'}}")
    second = load_stack(load_project(tmp_path), "dev")
    assert first.values["demo:token"] != second.values["demo:token"]


def test_an_encrypted_part_makes_the_whole_value_secret(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: r, demo:shape: {a: {secure: 'v1:abc:def'}}}")
    settings = load_stack(load_project(tmp_path), "dev")
    assert settings.secret_keys == {"demo:shape"}


def test_example_values_stand_in_for_what_only_an_operator_knows(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: REPLACE_ME, demo:shape: {a: [REPLACE_ME], b: REPLACE_ME}}")
    (tmp_path / "example-values.yaml").write_text("demo:region: r\ndemo:shape.a[0]: x\n", encoding="utf-8")
    program = load_project(tmp_path)
    settings = load_stack(program, "dev")
    assert settings.examples == {"demo:region": "r", "demo:shape.a[0]": "x"}
    assert settings.placeholders == ("demo:shape.b",)
    assert load_stack(program, "dev", examples=False).values["demo:region"] == "REPLACE_ME"


def test_the_example_values_of_one_stack_come_before_those_of_all(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: REPLACE_ME, demo:shape: {b: REPLACE_ME}}")
    (tmp_path / "example-values.yaml").write_text(
        "demo:region: r\ndemo:shape.b: x\nstacks: {dev: {demo:region: d}, prod: {demo:shape.b: p}}\n",
        encoding="utf-8",
    )
    settings = load_stack(load_project(tmp_path), "dev")
    assert settings.examples == {"demo:region": "d", "demo:shape.b": "x"}


@pytest.mark.parametrize(
    ("stack", "sentence"),
    [
        ("config: {demo:regoin: r}", "demo:regoin is not a configuration key.*did you mean demo:region"),
        ("config: {}", "demo:region is missing and has no default"),
        ("config: {demo:region: 5}", "demo:region must be of type string, got integer 5"),
        (
            "config: {demo:region: r, demo:count: many}",
            "demo:count must be of type integer, got string 'many'",
        ),
        ("config: {demo:region: r, demo:count: true}", "demo:count must be of type integer, got boolean"),
        ("config: {demo:region: r, demo:on: 1}", "demo:on must be of type boolean"),
        ("config: {demo:region: r, demo:zones: {}}", "demo:zones must be of type array"),
        ("config: {demo:region: r, demo:zones: [1]}", r"demo:zones\[0\] must be of type string, got integer"),
        ("config: [1]", "config must be a mapping"),
        ("- 1", "must hold a mapping"),
        ("config: {", "not valid YAML"),
        (
            "config: {demo:region: r, demo:region: s}",
            r"holds a key twice: key 'demo:region' stands twice \(line 1",
        ),
    ],
)
def test_fails_when_a_stack_file_is_wrong(tmp_path: Path, stack: str, sentence: str) -> None:
    _write(tmp_path, stack)
    with pytest.raises(UsageError, match=sentence):
        load_stack(load_project(tmp_path), "dev")


def test_fails_when_a_stack_is_unknown(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: r}")
    with pytest.raises(UsageError, match=r"stack 'prod' is unknown.*stacks here: dev"):
        load_stack(load_project(tmp_path), "prod")


def test_a_secret_of_the_wrong_type_is_not_shown(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: r, demo:token: [hunter2]}")
    with pytest.raises(UsageError) as refused:
        load_stack(load_project(tmp_path), "dev")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "value", ["xoxb-hunter2", "'REPLACE_ME xoxb-hunter2'", "[hunter2]", "{a: hunter2}", "5"]
)
def test_fails_when_a_declared_secret_is_readable_and_does_not_show_it(tmp_path: Path, value: str) -> None:
    _write(tmp_path, f"config: {{demo:region: r, demo:token: {value}}}")
    with pytest.raises(UsageError, match="demo:token must be encrypted, got a readable value") as refused:
        load_stack(load_project(tmp_path), "dev")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(("value", "secret"), [("''", False), ("null", False), ("REPLACE_ME", True)])
def test_only_ciphertexts_and_examples_of_a_secret_are_marked(
    tmp_path: Path, value: str, secret: bool
) -> None:
    _write(tmp_path, f"config: {{demo:region: r, demo:token: {value}}}")
    (tmp_path / "example-values.yaml").write_text("demo:token: xoxb-example\n", encoding="utf-8")
    program = load_project(tmp_path)
    assert load_stack(program, "dev").secret_keys == ({"demo:token"} if secret else set())
    unfilled = load_stack(program, "dev", examples=False)
    assert unfilled.secret_keys == set()


@pytest.mark.parametrize(
    ("project", "sentence"),
    [
        ("name: ''\nruntime: python", "name must be a non-empty string"),
        ("name: demo\nruntime: nodejs", "runtime must be python"),
        ("name: demo\nruntime: python\nconfig: [1]", "config must be a mapping"),
        ("name: demo\nruntime: python\nconfig: {a: {type: text}}", "must be string, integer, boolean"),
        ("name: demo\nruntime: python\nname: other", "holds a key twice"),
    ],
)
def test_fails_when_the_project_file_is_wrong(tmp_path: Path, project: str, sentence: str) -> None:
    _write(tmp_path, "config: {}", project)
    with pytest.raises(UsageError, match=sentence):
        load_project(tmp_path)


def test_fails_when_there_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run this in the folder of a Pulumi project"):
        load_project(tmp_path)


def test_fails_when_the_examples_of_a_stack_are_no_mapping(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: REPLACE_ME}")
    (tmp_path / "example-values.yaml").write_text("stacks: [1]", encoding="utf-8")
    with pytest.raises(UsageError, match="stacks must map each stack"):
        load_stack(load_project(tmp_path), "dev")


@pytest.mark.parametrize("stack", ["", "../x", "a/b", "x" * 101, "dev\n"])
def test_fails_when_the_stack_has_no_possible_name(tmp_path: Path, stack: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: mini\nruntime: python\n", encoding="utf-8")
    with pytest.raises(UsageError, match="must be 1 to 100 letters, digits, dots, dashes or underscores"):
        load_stack(load_project(tmp_path), stack)


def test_a_key_that_is_not_declared_is_given_as_pulumi_gives_it(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: r, demo:shape: {b: x}, demo:owners: {lead: ann}}")
    assert load_stack(load_project(tmp_path), "dev").values["demo:owners"] == '{"lead":"ann"}'


def test_what_another_program_has_made_is_named_after_configured_values(tmp_path: Path) -> None:
    _write(tmp_path, "config: {demo:region: r}")
    (tmp_path / "example-values.yaml").write_text(
        "demo:region: r\nexists:\n  - gcp:pubsub/topic:Topic projects/p/topics/${demo:region}\n",
        encoding="utf-8",
    )
    program = load_project(tmp_path)
    settings = load_stack(program, "dev")
    assert settings.exists == (("gcp:pubsub/topic:Topic", "projects/p/topics/r"),)
    assert load_stack(program, "dev", examples=False).exists == ()


@pytest.mark.parametrize("entry", ["gcp:pubsub/topic:Topic", "gcp:pubsub/topic:Topic a/${demo:none}", "7"])
def test_fails_when_what_exists_is_not_a_type_and_an_id(tmp_path: Path, entry: str) -> None:
    _write(tmp_path, "config: {demo:region: r}")
    (tmp_path / "example-values.yaml").write_text(f"exists:\n  - {entry}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"example-values\.yaml: exists must list TYPE ID"):
        load_stack(load_project(tmp_path), "dev")
