"""Programs not written for this sandbox: each previews, comes up, is unchanged the second time, goes down."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from sandbox.plugin.cli import CliStep, SandboxCli
from sandbox.project import load_project, load_stack
from tests.sandbox.engine.golden import Steps, arranged

_HERE = Path(__file__).parent
PROGRAMS = sorted(path.parent.name for path in _HERE.glob("*/Pulumi.yaml"))
# What is changed in each program for a third ``up``: file, what stands there, what shall.
_EDITS = {
    "accounts": [
        ("__main__.py", "The {name} service", "{name}"),
        ("__main__.py", "svc-{name}", "id-{name}"),
        ("__main__.py", '"cron-acts-as-worker"', '"cron-as-worker"'),
    ],
    "buckets": [
        ("__main__.py", '"EU"', '"US"'),
        ("__main__.py", "Hello", "Hi"),
        ("__main__.py", '"lifecycleRules[*].condition.age", "labels"', '"labels"'),
        ("Pulumi.dev.yaml", "[30, 90]", "[30, 60]"),
        ("Pulumi.dev.yaml", "versioned: true", "versioned: false"),
    ],
    "component": [("Pulumi.dev.yaml", "team: storage", "team: data"), ("__main__.py", '"EU"', '"US"')],
    "database": [
        ("__main__.py", "length=24", "length=26"),
        ("__main__.py", "db-f1-micro", "db-g1-small"),
        ("__main__.py", 'name="app")', 'name="data")'),
    ],
    "dns": [("__main__.py", "3600, ['", "300, ['"), ("__main__.py", '("api", "CNAME"', '("web", "CNAME"')],
    "fan-out": [
        ("src/consumers.py", '"billing": 60, "search": 30', '"search": 40, "audit": 10'),
        ("src/__main__.py", "86400s", "172800s"),
    ],
    "many-ways": [("__main__.py", '"site", location="EU"', '"site", location="US"')],
    "monitoring": [
        ("__main__.py", "0.9,", "0.8,"),
        ("__main__.py", "ops@", "on-call@"),
        ("__main__.py", "ALIGN_MEAN", "ALIGN_MAX"),
    ],
    "network": [
        ("__main__.py", "10.1.0.0/20", "10.1.0.0/19"),
        ("__main__.py", '"ALL_SUBNETWORKS_ALL_IP_RANGES"', '"ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES"'),
    ],
    "run-secrets": [
        ("__main__.py", "length=32", "length=36"),
        ("__main__.py", '"name": "PROJECT"', '"name": "PROJECT_ID"'),
    ],
    "scheduler": [("__main__.py", "0 3", "0 4"), ("__main__.py", '"nightly")', '"every-night")')],
    "web": [
        ("Pulumi.dev.yaml", "instances: 3", "instances: 2"),
        ("__main__.py", '["80"]', '["80", "8080"]'),
        ("__main__.py", "httpd -p 80", "httpd -p 8080"),
    ],
}
_ALONE = [name for name in PROGRAMS if name != "consumer"]


def _copy(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(_HERE / name, folder / name))


class Runner:
    """Runs the command and reads its report."""

    def __init__(self, report: Path) -> None:
        self._report = report

    def __call__(self, command: str, program: Path, *options: str) -> tuple[int, dict[str, Any]]:
        code = main(
            [command, "--program", str(program), "--stack", "dev", "--json", str(self._report), *options]
        )
        return code, json.loads(self._report.read_text(encoding="utf-8"))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "report.json")


def _ops(report: dict[str, Any]) -> set[str]:
    return {change["op"] for change in report["steps"]}


def _all_its_life(runner: Runner, program: Path) -> dict[str, Any]:
    code, shown = runner("preview", program)
    assert (code, shown["errors"]) == (0, [])
    assert not (program / ".sandbox" / "dev.json").exists()
    code, done = runner("up", program)
    assert (code, done["errors"]) == (0, [])
    assert (program / ".sandbox" / "dev.json").exists()
    code, again = runner("up", program)
    assert code == 0
    assert _ops(again) <= {"same", "read"}, again["steps"]
    return done


def _goes_down(runner: Runner, program: Path) -> None:
    code, report = runner("down", program)
    assert (code, report["errors"]) == (0, [])
    state = json.loads((program / ".sandbox" / "dev.json").read_text(encoding="utf-8"))
    assert state["deployment"]["resources"] == []


def test_there_are_enough_of_them() -> None:
    assert len(PROGRAMS) >= 12


@pytest.mark.parametrize("name", _ALONE)
def test_comes_up_stays_and_goes_down(name: str, runner: Runner, tmp_path: Path) -> None:
    program = _copy(name, tmp_path)
    _all_its_life(runner, program)
    _goes_down(runner, program)


def test_a_stack_refers_to_one_of_a_project_beside_it(runner: Runner, tmp_path: Path) -> None:
    producer, consumer = _copy("producer", tmp_path), _copy("consumer", tmp_path)
    code, report = runner("preview", consumer)
    assert code == 1
    assert "stack organization/producer/dev is not known here" in report["errors"][0]["message"]
    assert "`stacks`: {organization/producer/dev: {OUTPUT: VALUE}}" in report["errors"][0]["message"]

    _all_its_life(runner, producer)
    outputs = _all_its_life(runner, consumer)["outputs"]
    assert outputs["network"].startswith("base-")
    assert (outputs["password"], outputs.get("missing")) == ("[secret]", None)
    _goes_down(runner, consumer)
    _goes_down(runner, producer)


def test_a_fixture_stands_in_for_another_project(runner: Runner, tmp_path: Path) -> None:
    consumer = _copy("consumer", tmp_path)
    network = {"id": "projects/example-project/global/networks/base", "name": "base"}
    link = "https://www.googleapis.com/compute/v1/" + network["id"]
    fixture = tmp_path / "fixture.yaml"
    fixture.write_text(
        json.dumps(
            {
                "stacks": {
                    "organization/producer/dev": {"network": network, "password": {"secret": "hidden-text"}}
                },
                "resources": [
                    {
                        "type": "gcp:compute/network:Network",
                        "id": network["id"],
                        "inputs": {"name": "base", "project": "example-project"},
                        "outputs": {"name": "base", "selfLink": link},
                    }
                ],
            }
        ),
        encoding="utf-8",
    )
    code, report = runner("up", consumer, "--fixture", str(fixture))
    assert (code, report["errors"]) == (0, [])
    assert report["outputs"]["password"] == "[secret]"
    written = "".join(path.read_text() for path in (consumer / ".sandbox").glob("*.json"))
    assert "hidden-text" not in written
    # The network is remembered, the secret is not.
    code, report = runner("up", consumer)
    assert code == 1
    assert "holds secrets, which are not kept; give the fixture again" in report["errors"][0]["message"]
    fixture.write_text(json.dumps({"stacks": {"organization/producer/dev": {"network": network}}}))
    assert runner("up", consumer, "--fixture", str(fixture))[0] == 0
    code, report = runner("up", consumer)
    assert (code, set(report["summary"]) - {"read"}) == (0, {"same"})


def test_what_a_neighbour_made_is_not_kept_here(runner: Runner, tmp_path: Path) -> None:
    producer, consumer = _copy("producer", tmp_path), _copy("consumer", tmp_path)
    runner("up", producer)
    runner("up", consumer)
    cloud = json.loads((consumer / ".sandbox" / "dev.cloud.json").read_text(encoding="utf-8"))
    assert [record["type"] for record in cloud["resources"]] == ["gcp:compute/subnetwork:Subnetwork"]
    # So a change that the neighbour makes is seen.
    text = (producer / "__main__.py").read_text(encoding="utf-8")
    (producer / "__main__.py").write_text(text.replace("False)", "False, mtu=1400)"), encoding="utf-8")
    assert runner("up", producer)[0] == 0
    code, report = runner("up", consumer)
    assert (code, set(report["summary"]) - {"read"}) == (0, {"same"})


def test_a_look_up_is_answered_by_a_fixture(runner: Runner, tmp_path: Path) -> None:
    program = _program(
        tmp_path,
        """
        import pulumi
        import pulumi_gcp as gcp
        image = gcp.compute.get_image(family="debian-12", project="debian-cloud")
        pulumi.export("image", image.name)
        """,
    )
    code, report = runner("preview", program)
    message = report["errors"][0]["message"]
    assert code == 1
    assert "gcp:compute/getImage:getImage" in message
    assert "under `lookups`" in message
    fixture = tmp_path / "fixture.yaml"
    fixture.write_text(
        "lookups: [{function: 'gcp:compute/getImage:getImage', arguments: {family: debian-12}, "
        "result: {name: debian-12-v1}}]",
        encoding="utf-8",
    )
    code, report = runner("up", program, "--fixture", str(fixture))
    assert (code, report["outputs"]) == (0, {"image": "debian-12-v1"})
    code, report = runner("up", program)
    assert (code, report["outputs"]) == (0, {"image": "debian-12-v1"})
    # A second fixture adds to the first, and answers the same call anew.
    fixture.write_text("projects: {debian-cloud: '123456789012'}", encoding="utf-8")
    assert runner("up", program, "--fixture", str(fixture))[1]["outputs"] == {"image": "debian-12-v1"}
    fixture.write_text(
        "lookups: [{function: 'gcp:compute/getImage:getImage', arguments: {family: debian-12}, "
        "result: {name: debian-12-v2}}]",
        encoding="utf-8",
    )
    assert runner("up", program, "--fixture", str(fixture))[1]["outputs"] == {"image": "debian-12-v2"}
    assert runner("up", program)[1]["outputs"] == {"image": "debian-12-v2"}


def test_the_house_rules_judge_no_other_program(runner: Runner, tmp_path: Path) -> None:
    _, report = runner("preview", _copy("buckets", tmp_path))
    assert report["policies"]["violations"] == []


_BAD = {
    "unknown property": (
        "import pulumi_gcp as gcp\ngcp.compute.Network('n', params={'tags': {}})",
        "n (gcp:compute/network:Network): params.tags: `params.tags` is not a property here",
    ),
    "unknown keyword": (
        "import pulumi_gcp as gcp\ngcp.pubsub.Topic('t', retention='1s')",
        "the program raised TypeError at __main__.py:2: ",
    ),
    "missing argument": (
        "import pulumi_gcp as gcp\ngcp.storage.Bucket('b')",
        "the program raised TypeError at __main__.py:2: Missing required property 'location'",
    ),
    "wrong enum": (
        "import pulumi_gcp as gcp\ngcp.compute.Network('n', routing_mode='LOCAL')",
        "n (gcp:compute/network:Network): routingMode: ",
    ),
    "doubled resource": (
        "import pulumi_gcp as gcp\ngcp.pubsub.Topic('t')\ngcp.pubsub.Topic('t')",
        "t (gcp:pubsub/topic:Topic) is registered twice: ",
    ),
    "exception": (
        "x = 1\nraise ValueError('no such tenant')",
        "the program raised ValueError at __main__.py:2: no",
    ),
    "exception in apply": (
        "import pulumi\npulumi.Output.from_input(1).apply(lambda x: x / 0)",
        "the program raised ZeroDivisionError at __main__.py:2: division by zero",
    ),
    "missing import": (
        "import not_there",
        "the program imports not_there at __main__.py:1, which is not installed here: ",
    ),
    "import of ours": (
        "import naming",
        "the program imports naming at __main__.py:1, which is not installed",
    ),
    "syntax error": ("x = = 1", "the program is not valid Python at __main__.py:1: invalid syntax"),
    "exit": ("import sys\nsys.exit(3)", "the program ended itself with sys.exit at __main__.py:2: 3"),
    "run error": ("import pulumi\nraise pulumi.RunError('choose a region')", "choose a region"),
    "missing configuration": (
        "import pulumi\npulumi.Config().require('tenant')",
        "Missing required configuration variable 'bad:tenant'",
    ),
    "missing file": (
        """
        import pulumi
        import pulumi_gcp as gcp
        gcp.storage.BucketObject("o", bucket="b", source=pulumi.FileAsset("no.txt"))
        """,
        "o (gcp:storage/bucketObject:BucketObject): file no.txt cannot be read (no such file or directory)",
    ),
    "dynamic provider": (
        """
        from pulumi.dynamic import Resource, ResourceProvider
        class Mine(Resource):
            pass
        Mine(ResourceProvider(), "mine", {})
        """,
        "the program makes a dynamic resource",
    ),
    "other package": (
        "import pulumi\nfor name in 'ab':\n    pulumi.CustomResource('aws:s3/bucket:Bucket', name, {})",
        "the sandbox has no provider for package aws (aws:s3/bucket:Bucket): it runs gcp and random",
    ),
}


def _program(folder: Path, text: str) -> Path:
    program = folder / "bad"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: bad\nruntime: python\n", encoding="utf-8")
    config = "config: {gcp:project: example-project, gcp:region: europe-west1}\n"
    (program / "Pulumi.dev.yaml").write_text(config, encoding="utf-8")
    (program / "__main__.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return program


@pytest.mark.parametrize("case", _BAD)
@pytest.mark.parametrize("command", ["preview", "up"])
def test_a_bad_program_gets_one_sentence(
    case: str, command: str, runner: Runner, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text, sentence = _BAD[case]
    program = _program(tmp_path, text)
    code, report = runner(command, program)
    # What a person has to configure before anything can begin is wrong use, not a refusal.
    assert code == (2 if case in {"run error", "missing configuration"} else 1)
    assert [error["message"] for error in report["errors"] if not error["message"].startswith(sentence)] == []
    assert len(report["errors"]) == 1
    shown = "".join(capfd.readouterr())
    for hidden in ("Traceback", str(tmp_path), str(Path.home()), sys.prefix):
        assert hidden not in shown
        assert hidden not in json.dumps(report)
    assert not (program / ".sandbox" / "dev.json").exists()


def test_a_program_that_exits_with_zero_asks_for_what_it_registered(runner: Runner, tmp_path: Path) -> None:
    text = "import sys\nimport pulumi_gcp as gcp\ngcp.pubsub.Topic('t')\nsys.exit()"
    code, report = runner("up", _program(tmp_path, text))
    assert (code, report["errors"]) == (0, [])
    assert report["summary"]["create"] == 3


def test_a_folder_without_a_project_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", "--program", str(tmp_path), "--stack", "dev"]) == 2
    assert "Pulumi.yaml does not exist" in capsys.readouterr().err


def test_a_project_without_stack_files_has_any_stack(runner: Runner, tmp_path: Path) -> None:
    program = _program(tmp_path, "import pulumi\npulumi.export('stack', pulumi.get_stack())")
    (program / "Pulumi.dev.yaml").unlink()
    code, report = runner("up", program)
    assert (code, report["outputs"]) == (0, {"stack": "dev"})


@pytest.mark.real_cli
@pytest.mark.parametrize("name", _EDITS)
def test_real_cli_takes_the_same_steps(name: str, runner: Runner, tmp_path: Path) -> None:
    program = _copy(name, tmp_path)

    def cli() -> SandboxCli:
        loaded = load_project(program)
        return SandboxCli(loaded, "dev", load_stack(loaded, "dev"), tmp_path / "cli")

    for edits in ((), (), _EDITS[name]):
        for file, before, after in edits:
            path = program / file
            text = path.read_text(encoding="utf-8")
            assert before in text, f"{file} has no {before}"
            path.write_text(text.replace(before, after), encoding="utf-8")
        theirs = _theirs(cli().up())
        _, report = runner("up", program)
        assert _ours(report) == theirs
    assert any(diff for rows in theirs.values() for _, diff, _ in rows)
    theirs = _theirs(cli().destroy())
    _, report = runner("down", program)
    assert _ours(report) == theirs


# What carries a replacement out is not in a report; the replacement itself is.
_CARRIED_OUT = {"create-replacement", "delete-replaced", "discard-replaced", "remove-pending-replace"}


def _theirs(steps: list[CliStep]) -> Steps:
    found = arranged((step.op, step.urn, step.diff, step.replace_reasons) for step in steps)
    return {urn: [row for row in rows if row[0] not in _CARRIED_OUT] for urn, rows in found.items()}


def _ours(report: dict[str, Any]) -> Steps:
    found: Steps = {}
    for step in report["steps"]:
        diff = {change["path"]: change["kind"] for change in step["diff"]}
        row = (step["op"], dict(sorted(diff.items())), sorted(step["replace_reasons"]))
        found.setdefault(step["urn"], []).append(row)
    return dict(sorted(found.items()))


def test_values_arrive_as_they_were_meant(runner: Runner, tmp_path: Path) -> None:
    _, report = runner("up", _copy("many-ways", tmp_path))
    outputs = report["outputs"]
    assert outputs["values"] == {
        "on": True,
        "size": 3,
        "share": 0.25,
        "shape": {"sides": [1, 2]},
        "word": "hello",
        "none": [None, None, None, None],
        "default": 7,
    }
    assert outputs["secrets"] == outputs["hidden"] == "[secret]"
    assert outputs["nested"]["bucket"]["url"] == outputs["nested"]["bucket"]["same"]
    assert outputs["nested"]["list"] == ["example-project", "later"]
    assert (outputs["shown"], outputs["stash"]) == ("open", "hello")


def test_a_changed_file_is_a_change(runner: Runner, tmp_path: Path) -> None:
    program = _copy("many-ways", tmp_path)
    runner("up", program)
    (program / "site" / "index.html").write_text("<p>Hi</p>", encoding="utf-8")
    _, report = runner("preview", program)
    changed = {step["name"] for step in report["steps"] if step["op"] not in {"same", "read"}}
    assert {"zip", "tar"} <= changed
