"""Subscriptions that write rows and files: a change of each kind, and what is refused without its grant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.programs.running import Runner, copied


def _edit(program: Path, old: str, new: str) -> None:
    source = program / "__main__.py"
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "op"),
    [
        ('"max_delivery_attempts": 5', '"max_delivery_attempts": 6', "update"),
        ('"text_config": {}', '"text_config": {}, "max_messages": 1000', "update"),
        ('filter="attributes:urgent"', 'filter="attributes:late"', "replace"),
        ("enable_message_ordering=True", "enable_message_ordering=False", "replace"),
        ('"name": "id", "type": "string"}]', '"name": "id", "type": "long"}]', "update"),
    ],
)
def test_a_change_updates_or_loses_the_backlog(
    runner: Runner, tmp_path: Path, old: str, new: str, op: str
) -> None:
    program = copied("queues", tmp_path)
    assert runner("up", program)[0] == 0
    _edit(program, old, new)
    code, report = runner("up", program)
    assert (code, report["errors"]) == (0, [])
    assert op in {step["op"] for step in report["steps"]}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "bigquery.dataEditor",
            "bigquery.dataViewer",
            "may not write to projects/example-project/datasets/events/",
        ),
        (
            "storage.objectCreator",
            "storage.objectViewer",
            "lacks roles/storage.objectCreator on bucket files-",
        ),
        ('"use_topic_schema": True', '"use_topic_schema": False', "must have a column data; add it"),
        ('filter="attributes:urgent"', 'filter="data:urgent"', "`filter` does not parse: unexpected 'data'"),
        ('"type": "record", "name": "Job"', '"type": "record"', "`definition` has a type without a name"),
        ('"text_config": {}', '"text_config": {}, "max_duration": "601s"', "cloudStorageConfig.maxDuration"),
    ],
)
def test_fails_when_google_would(runner: Runner, tmp_path: Path, old: str, new: str, said: str) -> None:
    program = copied("queues", tmp_path)
    _edit(program, old, new)
    code, report = runner("up", program)
    assert code == 1
    assert any(said in error["message"] for error in report["errors"]), report["errors"]
