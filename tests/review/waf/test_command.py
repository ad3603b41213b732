"""`python -m review waf` from a program in a repository to files and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from tests.repository import begin, git
from tests.review.waf.examples import SQLI, core_rules

PROGRAM = """
import pulumi_gcp as gcp

policy = gcp.compute.SecurityPolicy(
    "armor",
    rules=[
        {
            "priority": 1000,
            "action": "deny(403)",
            "match": {"expr": {"expression": "evaluatePreconfiguredWaf('sqli-v33-stable')"}},
        },
        {
            "priority": 2147483647,
            "action": "allow",
            "match": {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": ["*"]}},
        },
    ],
)
"""
RULE_APART = """
gcp.compute.SecurityPolicyRule(
    "early",
    security_policy=policy.name,
    priority=101,
    action="allow",
    match={"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": ["203.0.113.0/24"]}},
)
"""
CORPUS = [
    {"id": "sqli", "kind": "attack", "class": "sqli", "expect": "deny", "path": SQLI},
    {"id": "jobs", "kind": "contract", "class": "jobs", "expect": "allow", "path": "/jobs"},
]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: edge\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config:\n  gcp:project: example-1\n")
    (folder / "__main__.py").write_text(PROGRAM)
    lines = (json.dumps(line) for line in CORPUS)
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n")
    begin(folder)
    monkeypatch.chdir(folder)
    return folder


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "out" / "waf.json").read_text(encoding="utf-8"))


def test_policy_that_holds_ends_with_zero_and_three_files(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    core_rules()
    assert main(["waf", "--stack", "dev", "--corpus", "corpus.jsonl", "--output", "out"]) == 0
    assert sorted(path.name for path in (program / "out").iterdir()) == ["waf.html", "waf.json", "waf.md"]
    assert report(program)["holds"] is True
    assert capsys.readouterr().out.splitlines()[-1] == "WAF proof of dev: policy armor holds"


def test_early_rule_in_a_resource_of_its_own_is_judged_and_compared_with_base(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    core_rules()
    (program / "__main__.py").write_text(PROGRAM + RULE_APART)
    assert (
        main(["waf", "--stack", "dev", "--corpus", "corpus.jsonl", "--base", "HEAD", "--output", "out"]) == 1
    )
    found = report(program)
    assert found["shortfalls"] == ["rule 101 would let sqli from 203.0.113.0 through before the sets"]
    assert found["difference"]["rules_added"] == [101]
    assert found["difference"]["turned"] == []
    assert "compared with HEAD: 1 rules added" in capsys.readouterr().out


def test_base_without_a_policy_is_said_and_not_compared(program: Path) -> None:
    (program / "__main__.py").write_text("")
    git(program, "commit", "--quiet", "-a", "-m", "Two")
    (program / "__main__.py").write_text(PROGRAM)
    main(["waf", "--stack", "dev", "--corpus", "corpus.jsonl", "--base", "HEAD", "--output", "out"])
    note = report(program)["difference"]["note"]
    assert note == "the program declares no Cloud Armor backend policy (it has: none)"


def test_sets_without_their_rules_are_not_evaluated_and_the_proof_does_not_hold(
    program: Path, tmp_path: Path
) -> None:
    assert (
        main(
            ["waf", "--stack", "dev", "--corpus", "corpus.jsonl", "--rules", str(tmp_path), "--output", "out"]
        )
        == 1
    )
    found = report(program)
    assert found["core_rule_set"]["missing"].endswith("install the package modsecurity-crs")
    assert found["numbers"]["sets_not_evaluated"] == 1
    assert found["numbers"]["attacks_stopped"] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--corpus", "absent.jsonl"], "File 'absent.jsonl' does not exist."),
        (["--corpus", "Pulumi.yaml"], "Pulumi.yaml:1: no JSON"),
        (
            ["--corpus", "corpus.jsonl", "--policy", "other"],
            "declares no Cloud Armor backend policy named 'other'",
        ),
        (["--corpus", "corpus.jsonl", "--stack", "prod"], "prod"),
        (["--corpus", "corpus.jsonl", "--base", "nowhere"], "revision 'nowhere' does not exist"),
        (["--corpus", "corpus.jsonl", "--output", "Pulumi.yaml"], "Directory 'Pulumi.yaml' is a file"),
    ],
)
def test_fails_when_used_wrongly(
    arguments: list[str], sentence: str, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["waf", "--stack", "dev", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err.splitlines()[-1]


def test_fails_when_the_program_breaks_off(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (program / "__main__.py").write_text("raise ValueError('no')\n")
    assert main(["waf", "--stack", "dev", "--corpus", "corpus.jsonl"]) == 2
    assert "the program of dev fails" in capsys.readouterr().err
