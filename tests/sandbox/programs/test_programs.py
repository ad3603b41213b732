"""Programs not written for this sandbox: each previews, comes up, is unchanged the second time, goes down."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from tests.sandbox.programs.running import HERE, Runner, copied

PROGRAMS = sorted(path.parent.name for path in HERE.glob("*/Pulumi.yaml"))
_ALONE = [name for name in PROGRAMS if name != "consumer"]


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
    program = copied(name, tmp_path)
    _all_its_life(runner, program)
    _goes_down(runner, program)


def test_a_stack_refers_to_one_of_a_project_beside_it(runner: Runner, tmp_path: Path) -> None:
    producer, consumer = copied("producer", tmp_path), copied("consumer", tmp_path)
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
    consumer = copied("consumer", tmp_path)
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
    producer, consumer = copied("producer", tmp_path), copied("consumer", tmp_path)
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
    _, report = runner("preview", copied("buckets", tmp_path))
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


def test_values_arrive_as_they_were_meant(runner: Runner, tmp_path: Path) -> None:
    _, report = runner("up", copied("many-ways", tmp_path))
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
    program = copied("many-ways", tmp_path)
    runner("up", program)
    (program / "site" / "index.html").write_text("<p>Hi</p>", encoding="utf-8")
    _, report = runner("preview", program)
    changed = {step["name"] for step in report["steps"] if step["op"] not in {"same", "read"}}
    assert {"zip", "tar"} <= changed
