"""The commands on a small program: what is written, what is refused, what stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from tests.review.report_schema import schema_errors

SECRET = "hunter2-hunter2"
PROGRAM = """\
import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()
provider = gcp.Provider("gcp", project="some-project", region="europe-west1")
opts = pulumi.ResourceOptions(provider=provider)
kept = pulumi.ResourceOptions(provider=provider, protect=True)
labels = {"component": "files", "environment": "dev", "managed-by": "pulumi", "system": "aiprod"}
ring = gcp.kms.KeyRing("ring", location="europe-west1", opts=kept)
key = gcp.kms.CryptoKey("key", key_ring=ring.id, rotation_period="7776000s", labels=labels, opts=kept)
topic = gcp.pubsub.Topic(
    "jobs",
    kms_key_name=config.get("key"),
    message_retention_duration=config.get("retention"),
    labels={**labels, "data-class": "internal"},
    opts=pulumi.ResourceOptions(provider=provider, protect=config.get_bool("protect")),
)
if config.get("subscribe"):
    gcp.pubsub.Subscription("reader", topic=config.require("subscribe"), labels=labels, opts=opts)
pulumi.log.info("hello")
pulumi.export("topic", topic.name)
pulumi.export("password", config.require_secret("password"))
if config.get("raise"):
    raise RuntimeError("no luck with hunter2-hunter2")
"""


class Mini:
    """A project in a folder of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture
        (folder / "Pulumi.yaml").write_text("name: mini\nruntime: python\n")
        (folder / "__main__.py").write_text(PROGRAM)
        self.configure()

    def configure(self, **values: object) -> None:
        config: dict[str, object] = {"pulumi:disable-default-providers": ["*"]}
        config.update({"mini:password": {"secure": "v1:nonce:ciphertext"}})
        config.update({f"mini:{key}": value for key, value in values.items()})
        (self.folder / "Pulumi.dev.yaml").write_text(json.dumps({"config": config}))

    def run(self, *arguments: str) -> tuple[int, dict[str, Any], str, str]:
        path = self.folder / "report.json"
        path.unlink(missing_ok=True)
        code = main([*arguments, "--json", str(path)])
        captured = self._capture.readouterr()
        report: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        assert not report or schema_errors(report) == []
        return code, report, captured.out, captured.err

    def state(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / ".sandbox").glob("dev.*json*")}


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mini:
    # The small program has no key for its topic: the rules are another test's subject.
    monkeypatch.setattr("review.verdicts.RULES", ())
    monkeypatch.setattr("review.workspace.PolicyAnalyzer", Lenient)
    monkeypatch.chdir(tmp_path)
    return Mini(tmp_path, capsys)


class Lenient:
    """An analyzer without rules."""

    def analyze(self, resource: object) -> list[Any]:
        return []

    def analyze_stack(self, resources: object) -> list[Any]:
        return []


def test_preview_writes_nothing_but_its_report(mini: Mini) -> None:
    code, report, out, err = mini.run("preview")
    assert code == 0
    assert report["summary"] == {"create": 5}
    assert mini.state() == {}
    assert "── + jobs  gcp:pubsub:Topic" in out
    assert "sandbox preview of dev: info: hello" in err


def test_up_creates_then_nothing_changes_then_down_keeps_keys_and_up_adopts_them(mini: Mini) -> None:
    assert mini.run("up")[1]["summary"] == {"create": 5}
    code, report, out, _ = mini.run("up")
    assert (code, report["summary"]) == (0, {"same": 5})
    assert "nothing changes, 5 unchanged" in out
    code, report, out, _ = mini.run("down")
    assert (code, report["summary"]) == (0, {"delete": 1})
    assert "policies" not in out
    left = {row["type"] for row in report["resources"] if row["type"].startswith("gcp:")}
    assert left == {"gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"}
    assert mini.run("up")[1]["summary"] == {"same": 4, "create": 1}


def test_down_of_nothing_is_fine(mini: Mini) -> None:
    code, report, out, _ = mini.run("down")
    assert (code, report["summary"]) == (0, {})
    assert "nothing changes" in out
    assert mini.state() == {}


def test_down_with_a_fault_keeps_what_it_did_and_down_again_ends_it(mini: Mini) -> None:
    mini.run("up")
    code, report, _, _ = mini.run("down", "--fault", "quota@1")
    assert (code, report["errors"][0]["code"]) == (1, 429)
    code, _, _, err = mini.run("down", "--fault", "kill@1")
    assert code == 137
    assert "run down again" in err
    assert "dev.journal" in {path.name for path in (mini.folder / ".sandbox").iterdir()}
    assert mini.run("down")[0] == 0
    assert mini.run("up")[1]["summary"] == {"same": 4, "create": 1}


def test_down_says_which_fault_no_call_met(mini: Mini) -> None:
    mini.run("up")
    code, _, out, _ = mini.run("down", "--fault", "quota@77")
    assert code == 0
    assert "no call met" in out


def test_down_takes_a_fixture(mini: Mini) -> None:
    mini.run("up")
    (mini.folder / "fixture.yaml").write_text("imagines: []\n")
    code, _, _, err = mini.run("down", "--fixture", "fixture.yaml")
    assert (code, "did you mean `images`?" in err) == (2, True)
    (mini.folder / "fixture.yaml").write_text("services: [pubsub.googleapis.com]\n")
    assert mini.run("down", "--fixture", "fixture.yaml")[0] == 0


def test_fails_when_a_fault_is_given_to_another_target(mini: Mini) -> None:
    for command in ("up", "down"):
        code, _, _, err = mini.run(command, "--target", "sandbox-cli", "--fault", "quota@1")
        assert code == 2
        assert "--fault belongs to --target sandbox" in err


def test_fails_when_down_meets_a_protected_topic(mini: Mini) -> None:
    mini.configure(protect=True)
    assert mini.run("up")[0] == 0
    before = mini.state()
    code, report, out, _ = mini.run("down")
    assert code == 1
    assert report["steps"] == []
    assert "would delete 1 protected resources, and nothing was deleted: jobs (Topic)" in out
    assert mini.state() == before
    mini.configure(protect=False)
    assert mini.run("up")[0] == 0
    assert mini.run("down")[0] == 0


def test_fails_when_the_preview_of_an_up_is_refused(mini: Mini) -> None:
    assert mini.run("up")[0] == 0
    before = mini.state()
    mini.configure(subscribe="projects/some-project/topics/absent")
    code, report, out, _ = mini.run("up")
    assert code == 1
    assert report["mode"] == "preview"
    assert report["errors"]
    assert "refused [reader]: " in out
    assert mini.state() == before


def test_a_change_is_shown_with_its_path(mini: Mini) -> None:
    mini.run("up")
    mini.configure(retention="86400s")
    code, report, out, _ = mini.run("preview")
    assert code == 0
    (step,) = [step for step in report["steps"] if step["op"] == "update"]
    assert step["diff"] == [{"path": "messageRetentionDuration", "kind": "add", "old": None, "new": "86400s"}]
    assert '+ messageRetentionDuration: "86400s"' in out


def test_saved_state_is_where_the_next_preview_starts(mini: Mini) -> None:
    assert mini.run("preview", "--save-state", "after.json")[0] == 0
    assert mini.run("preview", "--state", "after.json")[1]["summary"] == {"same": 5}
    assert mini.state() == {}


def test_secrets_of_the_configuration_are_neither_printed_nor_stored(mini: Mini) -> None:
    (mini.folder / "__main__.py").write_text(
        PROGRAM.replace('config.require_secret("password")', f'pulumi.Output.secret("{SECRET}")')
    )
    code, report, out, err = mini.run("up", "--markdown", "report.md")
    assert code == 0
    assert report["outputs"]["password"] == "[secret]"
    stored = b"".join(mini.state().values()).decode()
    for text in (out, err, json.dumps(report), stored, (mini.folder / "report.md").read_text()):
        assert SECRET not in text


def test_fails_when_the_program_raises_and_says_where(mini: Mini) -> None:
    mini.configure(**{"raise": "yes"})
    code, report, out, _ = mini.run("up")
    assert code == 1
    (error,) = report["errors"]
    assert error["kind"] == "program"
    assert "RuntimeError at __main__.py:" in error["message"]
    assert "Traceback" not in out
    assert mini.state() == {}


@pytest.mark.parametrize("option", ["--markdown", "--save-state"])
def test_fails_when_a_file_cannot_be_written(mini: Mini, option: str) -> None:
    (mini.folder / "file").write_text("")
    code, _, _, err = mini.run("preview", option, "file/report")
    assert code == 2
    assert err.splitlines()[-1].startswith("sandbox: file/report cannot be written (")


def test_fails_when_the_fixture_lacks_what_is_named(mini: Mini) -> None:
    (mini.folder / "fixture.yaml").write_text("imagines: []\n")
    code, _, _, err = mini.run("preview", "--fixture", "fixture.yaml")
    assert code == 2
    assert "did you mean `images`?" in err
