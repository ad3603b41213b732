"""The command: what it says without Google, what it refuses, and one walk on the stand-ins."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from operations.release.__main__ import main
from tests.operations.release.stand_in import OBJECTIVES, SERVICES, World, named, served

FACTS = "\n".join(
    [
        "p-example",
        *(f"service {name}" for name in SERVICES),
        *(f"objective {name}" for name in OBJECTIVES),
        "latency 1000",
    ]
)


class Clock:
    """What `datetime` is to the walk: the world's own time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self, _zone: object) -> datetime:
        return self._world.now()


@pytest.fixture
def review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that knows the stack, and a Google Cloud CLI that is logged in."""
    script = tmp_path / "review"
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{FACTS}\nEND\n")
    gcloud = tmp_path / "gcloud"
    gcloud.write_text("#!/bin/sh\necho token\n")
    for file in (script, gcloud):
        file.chmod(0o755)
    monkeypatch.setenv("REVIEW", str(script))
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")


@pytest.mark.usefixtures("review")
def test_sandbox_says_what_would_be_done_and_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "prod", "--target", "sandbox", "--minimum-requests", "300"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == (
        "release walk (sandbox): nothing is changed. TARGET=gcp acts on api in europe-west1, europe-west4:"
    )
    assert [line.split()[0] for line in said[1:5]] == ["1", "10", "50", "100"]
    assert "slower than 1000 ms" in said[5]
    assert said[6] == "  fewer than 300 requests in a step: back"


@pytest.mark.usefixtures("review")
def test_gcp_reads_and_sets_through_google(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    world.traffic = {name: named(n=10, s=90) for name in SERVICES}
    with served(world) as root:
        monkeypatch.setenv("RELEASE_ROOT", root)
        assert main(["status", "--stack", "prod", "--target", "gcp"]) == 1
        monkeypatch.setattr("time.sleep", world.sleep)
        assert main(["back", "--stack", "prod", "--target", "gcp"]) == 0
    assert [world.shares(name) for name in SERVICES] == [{"api-00001-abc": 100}] * 2
    assert "europe-west4: back on api-00001-abc (asked for)" in capsys.readouterr().out


@pytest.mark.usefixtures("review")
def test_a_walk_outlives_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is good for an hour, a walk takes longer: a new one is asked for when it is refused."""
    (tmp_path / "gcloud").write_text(f"#!/bin/sh\necho x >>{tmp_path}/asked\nwc -l <{tmp_path}/asked\n")
    world = World()
    world.token = "1"

    def expire(minute: int) -> None:
        world.token = "2" if minute >= 30 else "1"

    world.tick = expire
    with served(world) as root:
        monkeypatch.setenv("RELEASE_ROOT", root)
        monkeypatch.setattr("time.sleep", world.sleep)
        monkeypatch.setattr("operations.release.walk.datetime", Clock(world))
        assert main(["--stack", "prod", "--target", "gcp"]) == 0
    assert (tmp_path / "asked").read_text() == "x\n" * 2
    assert [world.shares(name) for name in SERVICES] == [{"api-00002-xyz": 100}] * 2


@pytest.mark.usefixtures("review")
def test_a_login_that_ends_in_the_middle_says_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()

    def expire(minute: int) -> None:
        if minute == 5:
            world.token = "another"
            (tmp_path / "gcloud").write_text("#!/bin/sh\nexit 1\n")

    world.tick = expire
    with served(world) as root:
        monkeypatch.setenv("RELEASE_ROOT", root)
        monkeypatch.setattr("time.sleep", world.sleep)
        monkeypatch.setattr("operations.release.walk.datetime", Clock(world))
        short = ["--soak-minutes", "2", "--minimum-requests", "1"]
        assert main(["--stack", "prod", "--target", "gcp", *short]) == 3
    said = capsys.readouterr()
    assert "must be logged in, it is not: run `gcloud auth login`; so everything goes back" in said.out
    assert "could NOT be given back in europe-west1: no token for GET" in said.err
    assert "; europe-west4: no token for GET" in said.err
    assert "set it by hand now" in said.err


@pytest.mark.usefixtures("review")
@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("exit 1", "must be logged in, it is not"),
        ("true", "must be logged in, it is not"),
        ("sleep 5", "gave no token within 1 s"),
        (None, "(gcloud) must be on PATH, it is not"),
    ],
)
def test_fails_when_there_is_no_token_at_the_start(
    script: str | None,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gcloud = tmp_path / "gcloud"
    if script is None:
        monkeypatch.setattr("operations.login._COMMAND", (str(tmp_path / "no-such-command"),))
    else:
        gcloud.write_text(f"#!/bin/sh\n{script}\n")
    monkeypatch.setattr("operations.login._SECONDS", 1)
    assert main(["back", "--only-halfway", "--stack", "prod", "--target", "gcp"]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.usefixtures("review")
@pytest.mark.parametrize("command", ["walk", "back"])
def test_an_interrupt_has_its_exit_code(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    world.traffic = {name: named(n=10, s=90) for name in SERVICES}

    def interrupted(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("operations.release.google.Google.share", interrupted)
    with served(world) as root:
        monkeypatch.setenv("RELEASE_ROOT", root)
        assert main([command, "--stack", "prod", "--target", "gcp"]) == 130
    said = capsys.readouterr()
    assert "the same command" in said.out + said.err


@pytest.mark.usefixtures("review")
def test_the_options_of_back_reach_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    world.traffic = {name: named(n=100) for name in SERVICES}
    gcp = ["back", "--stack", "prod", "--target", "gcp"]
    with served(world) as root:
        monkeypatch.setenv("RELEASE_ROOT", root)
        assert main([*gcp, "--only-halfway"]) == 0
        assert main(gcp) == 3
        assert "no release recorded a stable revision before it" in capsys.readouterr().err
        assert main([*gcp, "--revision", "europe-west1=api-00009-nil"]) == 2
        assert main([*gcp, "--revision", "europe-west1=api-00001-abc"]) == 0
        assert world.shares(SERVICES[1]) == {"api-00002-xyz": 100}
        assert main([*gcp, "--revision", "api-00001-abc"]) == 0
    assert [world.shares(name) for name in SERVICES] == [{"api-00001-abc": 100}] * 2


@pytest.mark.usefixtures("review")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("walk", "--only-halfway"), "only-halfway and revision go with back, got walk"),
        (("status", "--revision", "r"), "only-halfway and revision go with back, got status"),
        (("back", "--only-halfway", "--revision", "r"), "got a revision as well: leave one out"),
        (
            ("back", "--revision", "a", "--revision", "b"),
            "must be NAME once, or REGION=NAME once a region, got a b: correct it",
        ),
        (("back", "--revision", "europe-west1="), "must be NAME once, or REGION=NAME once a region"),
        (("back", "--revision", "us=r"), "must name a region of the service (europe-west1, europe-west4)"),
    ],
)
@pytest.mark.parametrize("target", ["sandbox", "gcp"])
def test_fails_when_an_option_fits_nothing(
    options: tuple[str, ...], sentence: str, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options, "--stack", "prod", "--target", target]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.usefixtures("review")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--soak-minutes", "61"), "soak must be between 0 and patience 3600 s, got 3660"),
        (("--minimum-requests", "0"), "minimum-requests must be 1 or more, got 0"),
        *(
            (("--burn-limit", text), f"burn-limit must be above 1 and at most 1000, got {text}; correct it")
            for text in ("1", "-6", "1000.5")
        ),
        *(
            ((f"--{option}", text), f"{said} must be a number, got {text}; correct it")
            for option, said in (
                ("burn-limit", "burn-limit"),
                ("soak-minutes", "soak"),
                ("patience-minutes", "patience"),
            )
            for text in ("nan", "inf")
        ),
    ],
)
def test_fails_when_a_rule_could_never_decide(
    options: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", "prod", "--target", "gcp", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_fails_when_the_stack_has_nothing_to_walk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "review"
    script.write_text("#!/bin/sh\necho 'release: STACK must be another' >&2\nexit 2\n")
    script.chmod(0o755)
    monkeypatch.setenv("REVIEW", str(script))
    assert main(["hold", "--stack", "dev", "--target", "gcp"]) == 2
    assert capsys.readouterr().err == "release hold: STACK must be another\n"
