"""`diff`: base and head of a real repository in one process, for all stacks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from review.difference import MARKER, Difference, StackDifference, render
from review.report import Verdict, build
from tests.end_to_end.conftest import CODE, REPOSITORY
from tests.repository import git
from tests.review.outcomes import many
from tests.review.report_schema import schema_errors


class Repository:
    """A repository that holds the platform's program, with its first commit before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")
        (folder / ".gitignore").write_text("__pycache__/\n.sandbox/\n*.out\n")
        self.commit("Start")
        for name in CODE:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy2(source, folder / name)
        for path in (*REPOSITORY.glob("Pulumi*.yaml"), REPOSITORY / "example-values.yaml"):
            shutil.copy2(path, folder / path.name)
        self.commit("Add the platform")

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)

    def commit(self, title: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", title)

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old)
        path.write_text(text.replace(old, new), encoding="utf-8")

    def diff(self, base: str) -> tuple[int, dict[str, Any], str]:
        json_file, markdown = self.folder / "diff.out", self.folder / "markdown.out"
        code = main(["diff", "--base", base, "--json", str(json_file), "--markdown", str(markdown)])
        document = json.loads(json_file.read_text(encoding="utf-8"))
        assert schema_errors(document, "difference") == []
        assert len(self.git("worktree", "list").splitlines()) == 1
        return code, document, markdown.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("source"))


@pytest.fixture
def repository(source: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    copy: Repository = object.__new__(Repository)
    copy.folder = tmp_path / "repository"
    shutil.copytree(source.folder, copy.folder)
    monkeypatch.chdir(copy.folder)
    return copy


@pytest.fixture
def small(repository: Repository) -> Repository:
    """The same with one stack."""
    for name in ("staging", "prod"):
        repository.git("rm", "--quiet", f"Pulumi.{name}.yaml")
    repository.commit("Keep dev")
    return repository


def stack_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in document["stacks"] if item["stack"] == name)


def test_diff_shows_one_changed_line_of_one_stack(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.replace("Pulumi.dev.yaml", "    memory_size_gb: 1\n", "    memory_size_gb: 2\n")
    repository.commit("Grow the cache")
    code, document, markdown = repository.diff("HEAD~1")
    assert code == 0, capsys.readouterr().out
    assert [item["stack"] for item in document["stacks"]] == ["dev", "prod", "staging"]
    for name in ("staging", "prod"):
        assert set(stack_of(document, name)["report"]["summary"]) == {"same"}
    (step,) = [item for item in stack_of(document, "dev")["report"]["steps"] if item["op"] != "same"]
    assert (step["op"], step["name"], [change["path"] for change in step["diff"]]) == (
        "update",
        step["name"],
        ["memorySizeGb"],
    )
    assert markdown.startswith(f"{MARKER}\n## sandbox difference with `HEAD~1`")
    assert "- **prod**: nothing changes" in markdown
    assert "`memorySizeGb`: `1 → 2`" in markdown
    text = capsys.readouterr().out
    assert "prod: nothing changes" in text
    assert "memorySizeGb: 1 → 2" in text
    assert len(text.splitlines()) < 60


def test_diff_evaluates_the_code_of_the_base_not_of_the_head(small: Repository) -> None:
    small.replace("naming.py", '"managed-by": "pulumi"', '"managed-by": "somebody"')
    _, document, _ = small.diff("HEAD")
    steps = stack_of(document, "dev")["report"]["steps"]
    assert {item["op"] for item in steps} >= {"update"}
    assert any("somebody" in json.dumps(change["new"]) for step in steps for change in step["diff"])


def test_diff_with_a_base_that_has_no_program_starts_from_nothing(small: Repository) -> None:
    first = small.git("rev-list", "--max-parents=0", "HEAD")
    code, document, markdown = small.diff(first)
    assert code == 0
    dev = stack_of(document, "dev")
    assert dev["base_note"] == "base has no Pulumi program: compared with an empty state"
    assert set(dev["report"]["summary"]) == {"create"}
    assert len(markdown) < 65_536


def test_diff_leaves_the_sandbox_alone(small: Repository) -> None:
    small.diff("HEAD")
    assert not list((small.folder / ".sandbox").glob("*.json"))


def test_fails_when_head_breaks_a_mandatory_rule(small: Repository) -> None:
    small.replace("components/data/bucket.py", 'prevention="enforced"', 'prevention="inherited"')
    code, document, markdown = small.diff("HEAD")
    assert code == 1
    dev = stack_of(document, "dev")
    before = {item["rule"] for item in dev["violations_before"]}
    after = {item["rule"] for item in dev["report"]["policies"]["violations"]}
    assert len(after - before) == 1
    assert "**mandatory**" in markdown


def test_fails_when_the_base_does_not_exist(small: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--base", "nowhere"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "sandbox: revision 'nowhere' does not exist in this repository: name a branch, a tag or a commit\n"
    )


def test_comment_names_every_stack_even_when_one_fills_it() -> None:
    verdict = Verdict("labels", "mandatory", "urn:pulumi:dev::aiprod::a:b:C::c", "has no label")
    stacks = tuple(
        StackDifference(stack=name, report=build(many(3_000)), violations_before=(verdict,))
        for name in ("dev", "staging", "prod")
    )
    text = render(Difference(base="main", duration_seconds=1.0, stacks=stacks))
    assert len(text.encode("utf-16-le")) // 2 < 65_536
    for name in ("dev", "staging", "prod"):
        assert f"- **{name}**: 3000 to create" in text
    assert "policies: 1 violations before, 0 after (0 new, 1 mended)" in text
    assert "more lines were left out" in text


def test_a_first_rotation_that_is_past_is_refused_for_new_secrets_only(small: Repository) -> None:
    small.replace("example-values.yaml", '"2099-01-01"', '"2020-01-01"')
    small.commit("Let years go by")
    code, document, _ = small.diff("HEAD")
    assert (code, document["stacks"][0]["report"]["errors"]) == (0, [])
    small.replace("config_sections.py", '"suno-api-key",', '"suno-api-key",\n        "late-api-key",')
    small.replace(
        "Pulumi.dev.yaml", "      suno-api-key: 1\n", "      suno-api-key: 1\n      late-api-key: 1\n"
    )
    code, document, _ = small.diff("HEAD")
    (error,) = document["stacks"][0]["report"]["errors"]
    assert code == 1
    assert "`rotation.nextRotationTime` must be at least five minutes in the future" in error["message"]
