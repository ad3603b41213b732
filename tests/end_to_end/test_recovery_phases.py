"""No policy refuses a phase of the recovery: at 03:00 nobody argues with a rule."""

from __future__ import annotations

from typing import Any, cast

import pytest
import yaml

from tests.end_to_end.conftest import Platform
from tests.stack_files import ROOT

REGIONS = yaml.safe_load((ROOT / "recovery" / "prod.yaml").read_text("utf-8"))["regions"]


def write(config: dict[str, Any], path: str, value: Any) -> None:
    first, *rest = path.split(".")
    if not rest:
        config[f"aiprod:{first}"] = value
        return
    section = config[f"aiprod:{first}"]
    for name in rest[:-1]:
        section = section.setdefault(name, {})
    section[rest[-1]] = value


@pytest.mark.parametrize("region", REGIONS)
def test_every_phase_of_the_recovery_passes_the_policies(platform: Platform, region: str) -> None:
    for phase in REGIONS[region]:
        settings = cast("dict[str, Any]", phase["settings"])

        def edit(config: dict[str, Any], settings: dict[str, Any] = settings) -> None:
            for path, value in settings.items():
                write(config, path, value)

        platform.edit("prod", edit)
        previewed = platform.run("preview", stack="prod")
        assert previewed.code == 0, f"{phase['title']}: {previewed.report['policies']}"
