"""``make bench``: what the floor costs, as ratios; the figures go to ``build/bench.json``."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

OUTPUT: Final = Path("build/bench.json")
FLOOR_RATIO: Final = 1.5
MEMORY_MB: Final = 500
FIRST_UP_SECONDS: Final = 120
LATER_UP_SECONDS: Final = 15
LEAST_RESOURCES: Final = 200
ENGINE_RATIO: Final = 1.3
GROWTH_RATIO: Final = 4.4
STATE_SECONDS: Final = 3
WAF_SECONDS: Final = 60
WAF_REQUESTS: Final = 5000
MAKE_VARIABLES: Final = frozenset({"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS", "STACK", "TARGET", "BASE"})


@dataclass(frozen=True, slots=True)
class Run:
    """One fresh process."""

    seconds: float
    peak_mb: float


def measure(command: Sequence[str], *, stdin: str = "", cwd: Path | None = None) -> Run:
    """Run ``command`` in a fresh process; it must succeed."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as said:
        given.write(stdin)
        given.seek(0)
        # A `make` inside `make bench` must not take over its variables.
        environment = {key: value for key, value in os.environ.items() if key not in MAKE_VARIABLES}
        process = subprocess.Popen(command, stdin=given, stdout=said, stderr=said, cwd=cwd, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise click.ClickException(f"{' '.join(command)} failed:\n{said.read()[-2000:]}")
    # Kilobytes on Linux, bytes on macOS.
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Run(seconds=seconds, peak_mb=usage.ru_maxrss / unit)


def review(*arguments: str) -> list[str]:
    """A command of the review in this interpreter."""
    return [sys.executable, "-m", "review", *arguments]


def floor_work(report: Mapping[str, Any], modules: Sequence[str]) -> str:
    """What the floor repeats: the provider modules that the preview imported, as many resources."""
    types = Counter(str(row["type"]) for row in report["resources"])
    plain = {token: count for token, count in types.items() if not token.startswith("pulumi:")}
    return json.dumps({"modules": list(modules), "types": plain})


def preview_ratio(stack: str, pairs: int, folder: Path) -> dict[str, Any]:
    """Preview of ``stack`` against the floor, in alternating fresh processes."""
    json_file = folder / "report.json"
    preview = review("preview", "--stack", stack, "--json", str(json_file))
    modules_file = folder / "modules.json"
    measure([sys.executable, "-m", "bench.modules", str(modules_file), *preview[3:]])
    report = json.loads(json_file.read_text(encoding="utf-8"))
    work = floor_work(report, json.loads(modules_file.read_text(encoding="utf-8")))
    floor = [sys.executable, "-m", "bench.floor"]
    alone = [*preview, "--steps-only"]
    runs = [(measure(floor, stdin=work), measure(alone), measure(preview)) for _ in range(pairs)]
    return {
        "stack": stack,
        "resources": len(report["resources"]),
        "pairs": pairs,
        "floor_seconds": statistics.median(first.seconds for first, _, _ in runs),
        "steps_only_seconds": statistics.median(second.seconds for _, second, _ in runs),
        "preview_seconds": statistics.median(third.seconds for _, _, third in runs),
        "steps_only_ratio": statistics.median(second.seconds / first.seconds for first, second, _ in runs),
        "ratio": statistics.median(third.seconds / first.seconds for first, _, third in runs),
        "peak_mb": max(third.peak_mb for _, _, third in runs),
    }


def second_up(stack: str, folder: Path) -> dict[str, int]:
    """What a second `up` would do after a first, from an exported state."""
    state, json_file = folder / "state.json", folder / "second.json"
    measure(review("preview", "--stack", stack, "--save-state", str(state)))
    measure(review("preview", "--stack", stack, "--state", str(state), "--json", str(json_file)))
    return json.loads(json_file.read_text(encoding="utf-8"))["summary"]


def set_up(folder: Path) -> dict[str, float]:
    """Set-up, the first and the second `make up` in a fresh clone."""
    clone = folder / "clone"
    subprocess.run([shutil.which("git") or "git", "clone", "--quiet", ".", str(clone)], check=True)
    setup = measure(["make", "setup"], cwd=clone)
    first = measure(["make", "up"], cwd=clone)
    second = measure(["make", "up"], cwd=clone)
    return {
        "set_up_seconds": setup.seconds,
        "first_up_seconds": first.seconds,
        "second_up_seconds": second.seconds,
    }


def engine(pairs: int) -> dict[str, float]:
    """The engine by itself: topics against the echo floor, many against few, a large state."""
    command = [sys.executable, "-m", "bench.topics"]
    runs = [
        (
            measure([*command, "echo", "2000"]),
            measure([*command, "preview", "2000"]),
            measure([*command, "preview", "500"]),
        )
        for _ in range(pairs)
    ]
    state = subprocess.run([*command, "state", "2000"], capture_output=True, text=True, check=True)
    return {
        "overhead_ratio": statistics.median(many.seconds / echo.seconds for echo, many, _ in runs),
        "growth_ratio": statistics.median(many.seconds / few.seconds for _, many, few in runs),
        "state_seconds": float(state.stdout),
    }


def waf_proof(stack: str, folder: Path) -> dict[str, float]:
    """The whole proof of the WAF, and how many requests a second pass the expressions on one core."""
    started = time.perf_counter()
    # A proof that does not hold ends with 1 and has the same figures.
    subprocess.run(review("waf", "--stack", stack, "--output", str(folder)), capture_output=True, check=False)
    seconds = time.perf_counter() - started
    report = json.loads((folder / "waf.json").read_text(encoding="utf-8"))
    return {"seconds": seconds, "requests_per_second": report["numbers"]["cel_requests_per_second"]}


def say(text: str, value: float, allowed: str) -> None:
    """One line of the result."""
    click.echo(f"sandbox bench: {text}: {value:.2f} ({allowed})")


@click.command()
@click.option("--stack", default="prod", show_default=True, help="The stack that is previewed.")
@click.option("--pairs", default=5, show_default=True, help="How many paired runs.")
@click.option("--set-up/--no-set-up", "with_set_up", default=True, help="Also time a fresh clone.")
def main(stack: str, pairs: int, with_set_up: bool) -> None:
    """Measure the preview against the floor, memory, set-up and ups. Timings are ratios, not tests."""
    with tempfile.TemporaryDirectory(prefix="sandbox-bench-") as name:
        folder = Path(name)
        preview = preview_ratio(stack, pairs, folder)
        again = second_up(stack, folder)
        result: dict[str, Any] = {"preview": preview, "second_up": again, "engine": engine(pairs)}
        result["waf"] = waf_proof(stack, folder)
        if with_set_up:
            result["set_up"] = set_up(folder)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    say(f"steps of a preview of {stack} / floor", preview["steps_only_ratio"], f"at most {FLOOR_RATIO}")
    say(f"preview of {stack} with its update played / floor", preview["ratio"], f"at most {FLOOR_RATIO}")
    say(f"peak memory of it / {MEMORY_MB} MB", preview["peak_mb"] / MEMORY_MB, "at most 1")
    say(f"its resources / {LEAST_RESOURCES}", preview["resources"] / LEAST_RESOURCES, "at least 1")
    say("same steps of a second up / all", again.get("same", 0) / sum(again.values()), "1")
    say("2,000 topics / echo floor", result["engine"]["overhead_ratio"], f"at most {ENGINE_RATIO}")
    say("2,000 topics / 500 topics", result["engine"]["growth_ratio"], f"at most {GROWTH_RATIO}")
    state = result["engine"]["state_seconds"]
    say(f"load and diff a state of 2,000 / {STATE_SECONDS} s", state / STATE_SECONDS, "at most 1")
    say(f"WAF proof of {stack} / {WAF_SECONDS} s", result["waf"]["seconds"] / WAF_SECONDS, "at most 1")
    rate = result["waf"]["requests_per_second"] / WAF_REQUESTS
    say(f"requests a second through its expressions / {WAF_REQUESTS}", rate, "at least 1")
    if with_set_up:
        times = result["set_up"]
        first = times["set_up_seconds"] + times["first_up_seconds"]
        say(f"set-up and first up / {FIRST_UP_SECONDS} s", first / FIRST_UP_SECONDS, "at most 1")
        say(f"second up / {LATER_UP_SECONDS} s", times["second_up_seconds"] / LATER_UP_SECONDS, "at most 1")


if __name__ == "__main__":
    main()
