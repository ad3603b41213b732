"""What is deployed runs with the versions of the tests, and `make setup` follows every list of pins."""

from __future__ import annotations

import re

from tests.stack_files import ROOT

DEPLOYED = sorted(ROOT.glob("operations/*/requirements.txt"))


def pins(name: str) -> dict[str, set[str]]:
    """Package -> its pins, in the file and in what it includes."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            for package, versions in pins(line[3:].strip()).items():
                found.setdefault(package, set()).update(versions)
        elif pin := re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^\s;]+)", line):
            found.setdefault(pin[1].lower().replace("_", "-"), set()).add(pin[2])
        else:
            assert not line or line.startswith("#"), f"{name}: {line} is no pin"
    return found


def test_a_package_has_one_version_everywhere_and_the_tests_have_every_package() -> None:
    assert {path.parent.name for path in DEPLOYED} >= {"age_watch", "rotation"}
    tested = pins("requirements-dev.txt")
    assert {package for package, versions in tested.items() if len(versions) != 1} == set()
    for path in DEPLOYED:
        for package, versions in pins(str(path.relative_to(ROOT))).items():
            assert tested.get(package) == versions, f"{path.parent.name}: {package}"


def test_setup_runs_again_when_any_list_of_pins_changes() -> None:
    rule = re.search(r"^\$\(STAMP\): (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert rule is not None
    assert {"requirements.txt", "requirements-dev.txt", "$(wildcard operations/*/requirements.txt)"} <= {
        *re.split(r" (?![^()]*\))", rule[1])
    }
