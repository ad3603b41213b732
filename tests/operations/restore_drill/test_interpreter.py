"""The interpreter does what Workflows documents, and refuses what it does not know before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.operations.restore_drill.expressions import UnsupportedError, WorkflowError, evaluate, parse
from tests.operations.restore_drill.interpreter import Clock, Workflow, check


def run(text: str, argument: Any = None) -> Any:
    workflow = Workflow(check(yaml.safe_load(text)), Clock(1_000.0), {"A": "b"}, {})
    try:
        return workflow.run(argument)
    finally:
        workflow.close()


def body(steps: str) -> str:
    lines = "\n".join(f"    {line}" for line in steps.strip("\n").splitlines())
    return f"main:\n  params: [input]\n  steps:\n{lines}\n"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("7 / 2", 3.5),
        ('"a" + string(1) + string(true)', "a1true"),
        ('"k" in m and not ("x" in m)', True),
        ('"b" in l', True),
        ("l[1]", "b"),
        ('m.k["n"]', 4),
        ('default(map.get(m, ["k", "n"]), 0)', 4),
        ('default(map.get(m, ["x", "n"]), 0)', 0),
        ('map.get(m, ["k", "x", "y"])', None),
        ("if(len(l) > 1, 5, 6)", 5),
        ("if(null, 5, 6)", 6),
        ("list.concat(l, 3)", ["a", "b", 3]),
        ('map.delete(m, "k")', {}),
        ("int(3.9)", 3),
        ('int("12") - 2', 10),
        ('text.match_regex("a-12", "^a-[0-9]{2}$")', True),
        ('time.parse("1970-01-01T00:01:00.5Z")', 60.5),
        ("json.encode_to_string(m)", '{"k": {"n": 4}}'),
        ("get_type(m)", "map"),
        ("get_type(null)", "null"),
        ("math.max(2, 2.5)", 2.5),
        ("-2", -2),
    ],
)
def test_an_expression_has_its_value(expression: str, value: Any) -> None:
    assert evaluate(parse(expression), {"m": {"k": {"n": 4}}, "l": ["a", "b"]}, {}) == value


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ('"a" + 1', "a string is needed"),
        ("1 and true", "a boolean is needed"),
        ("not 0", "a boolean is needed"),
        ("m.x", "key not found: x"),
        ("l[2]", "index 2 is out of range"),
        ("unset", "variable unset is not set"),
        ('"a" < "b"', "a number is needed"),
        ('map.get(m, ["k", "n", "o"])', "a map is needed"),
        ("string(m)", "takes no map"),
        ('int("x")', "is no integer"),
        ('time.parse("yesterday")', "is no time"),
    ],
)
def test_fails_when_types_do_not_fit(expression: str, said: str) -> None:
    with pytest.raises(WorkflowError, match=said):
        evaluate(parse(expression), {"m": {"k": {"n": 4}}, "l": ["a", "b"]}, {})


@pytest.mark.parametrize(
    "expression",
    [
        "'a'",
        "a if b else c",
        "lambda: 1",
        "x is null",
        "2 ** 3",
        '{"a": 1}',
        "[a for a in b]",
        "uuid.generate()",
        "1 < 2 < 3",
        "a +",
        f'"{"x" * 400}"',
    ],
)
def test_fails_when_an_expression_is_not_known(expression: str) -> None:
    with pytest.raises(UnsupportedError):
        evaluate(parse(expression), {"a": 1, "b": [], "c": 3, "x": None}, {})


@pytest.mark.parametrize(
    "steps",
    [
        "- a: {parallel: {}}",
        "- a: {call: googleapis.sqladmin.v1.instances.get}",
        "- a: {call: sys.log, args: {}, retries: 3}",
        "- a: {call: nowhere, args: {}}",
        "- a: {assign: [{x: '${now()}'}]}",
        "- a: {assign: [{x: 'as ${input} text'}]}",
        "- a: {switch: [{condition: '${true}', next: nowhere}]}",
        "- a: {return: 1}\n- a: {return: 2}",
        "- a: {switch: [{condition: '${true}', steps: [{b: {return: 1}}]}]}\n- b: {return: 2}",
        "- a: {for: {range: [1, 2], value: x, steps: [{b: {return: 1}}]}}",
        "- a: {try: {steps: [{b: {return: 1}}]}, retry: {predicate: '${mine}'}}",
        "- a: {assign: [], next: b, else: c}\n- b: {return: 1}",
    ],
)
def test_fails_when_a_step_is_not_known(steps: str) -> None:
    with pytest.raises(UnsupportedError):
        run(body(steps))


def test_what_a_loop_and_a_handler_set_first_ends_with_them() -> None:
    for block in (
        "- a: {for: {value: one, in: [1], steps: [{b: {assign: [{x: 2}]}}]}}",
        "- a: {try: {raise: no}, except: {as: e, steps: [{b: {assign: [{x: 2}]}}]}}",
    ):
        with pytest.raises(WorkflowError, match="variable x is not set"):
            run(body(f"{block}\n- c: {{return: '${{x}}'}}"))
        assert run(body(f"- z: {{assign: [{{x: 1}}]}}\n{block}\n- c: {{return: '${{x}}'}}")) == 2


def test_a_value_that_was_assigned_is_a_copy() -> None:
    steps = """
- a: {assign: [{x: {n: 1}}, {y: '${x}'}, {y.n: 2}]}
- b: {return: '${x.n}'}
"""
    assert run(body(steps)) == 1


def test_a_jump_leaves_what_it_is_nested_in() -> None:
    steps = """
- start: {assign: [{n: 0}]}
- again:
    try:
      steps:
        - count: {assign: [{n: '${n + 1}'}]}
        - no: {raise: '${n}'}
    except:
      as: e
      steps:
        - enough: {switch: [{condition: '${e > 3}', return: '${e}'}]}
        - on: {assign: [], next: again}
"""
    assert run(body(steps)) == 4


def test_the_first_condition_that_holds_decides() -> None:
    steps = """
- a:
    switch:
      - {condition: '${input == 1}', return: one}
      - {condition: '${input > 0}', next: more}
    next: less
- more: {return: more}
- less: {return: less}
"""
    assert [run(body(steps), value) for value in (1, 2, 0)] == ["one", "more", "less"]


def test_a_host_that_is_not_there_is_a_connection_error_and_is_repeated() -> None:
    steps = """
- a:
    try:
      call: http.get
      args: {url: "https://nowhere", auth: {type: OAuth2}, timeout: 5}
    retry:
      predicate: "${http.default_retry_predicate}"
      max_retries: 3
      backoff: {initial_delay: 2, max_delay: 3, multiplier: 2}
"""
    workflow = Workflow(check(yaml.safe_load(body(steps))), Clock(0.0), {}, {})
    with pytest.raises(WorkflowError, match="no such host"):
        workflow.run()
    workflow.close()
    assert workflow.clock.now == 2 + 3 + 3
