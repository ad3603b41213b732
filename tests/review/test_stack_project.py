"""`python -m review project`: what the scripts of `operations/` ask before they ask Google."""

from __future__ import annotations

import pytest

from review.cli import main
from tests.stack_files import ROOT


def ask(monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.chdir(ROOT)
    return main(["project", "--command", "rotate", *options])


def test_prints_the_project_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(monkeypatch, "--stack", "dev", "--secret", "aiprod-database-password") == 0
    assert capsys.readouterr() == ("aiprod-example\n", "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--stack", "zz"), "rotate: stack 'zz' is unknown: Pulumi.zz.yaml does not exist"),
        (("--stack", "dev", "--target", "gcp"), "rotate: Pulumi.dev.yaml: REPLACE_ME is left over in "),
        (
            ("--stack", "prod", "--secret", "nope"),
            "rotate: SECRET must be one that prod declares, got 'nope': name aiprod-cache-auth, ",
        ),
    ],
)
def test_refuses_in_one_sentence(
    options: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ask(monkeypatch, *options) == 2
    said = capsys.readouterr()
    assert said.err.startswith(sentence)
    assert (said.out, said.err.count("\n")) == ("", 1)
