"""The declared denials by form on examples: what attacks send, and what looks like it and is none."""

from __future__ import annotations

from functools import cache
from urllib.parse import quote

import cel
import pytest

from components.edge.armor_compiler import compile_rules
from review.waf.corpus import make_request
from review.waf.expressions import Asked, Expressions
from stacks.edge_waf import form_rules, waf_rules

EXPRESSIONS = Expressions()


@cache
def programs() -> tuple[tuple[str, cel.Program], ...]:
    return tuple(
        (rule.description, EXPRESSIONS.compile(rule.expression or "")) for rule in compile_rules(form_rules())
    )


def denied_by(path: str, **headers: str) -> str | None:
    asked = Asked.of(
        make_request(
            {
                "id": "example",
                "class": "form",
                "kind": "benign",
                "expect": "allow",
                "path": path,
                "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            }
        )
    )
    for description, program in programs():
        answer = EXPRESSIONS.ask(program, asked)
        assert not answer.failure
        if answer.matched:
            return description
    return None


@pytest.mark.parametrize(
    "path",
    [
        *("/metrics", "/Metrics/", "//metrics", "/metrics%20", "/internal/keys", "/%6detrics", "/metrics;a"),
        *(
            "/docs/../metrics",
            "/./metrics",
            "/docs/..",
            "/docs/%2e%2e/x",
            "/docs%2f..%2fx",
            "/%c0%ae%c0%ae/x",
        ),
        *(
            "/jobs/1'--",
            "/jobs/1%27%20OR%201=1",
            "/jobs/x';DROP",
            "/jobs/1%20union%20select%202",
            "/jobs/1|id",
        ),
        *(
            "/x/%3Cscript%3E",
            "/x/%22",
            "/x/%253C",
            "/x/$(id)",
            "/x/%24%7Bjndi%7D",
            "/x\\y",
            "/x%0d%0ay",
            "/x%00",
        ),
    ],
)
def test_denies_paths_that_the_api_does_not_have(path: str) -> None:
    assert denied_by(path) == "Internal paths and malformed ones"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/health",
            "/docs/static/app.3f2a.js",
            "/pipeline/batch/3f2b-8c1e/results",
            "/metricsx",
            "/my/metrics",
        ),
        *(
            "/presets/cin%C3%A9ma",
            "/presets/%E6%98%A0%E7%94%BB",
            "/uploads/L%27%C3%A9t%C3%A9.mp4",
            "/x/l'atelier",
        ),
        *(
            "/uploads/Take%201%20(final).mp4",
            "/verify/YWJj%3D%3D",
            "/u/a%40b.example",
            "/v1/jobs:batch",
            "/a,b",
        ),
        *(
            "/uploads/Part%201%20and%202.mp4",
            "/.well-known/security.txt",
            "/uploads/rock%20and%20roll%20union.mp4",
            "/x/..hidden",
            "/c/C%23",
        ),
    ],
)
def test_lets_paths_of_every_language_pass(path: str) -> None:
    assert denied_by(path) is None


@pytest.mark.parametrize(
    "value",
    [
        *("admin'-- ", "admin'#", "x'/*", "a'; drop table x", "' or 1=1", '{"$ne":1}', "1 union select 2"),
        *("; id", "| whoami", "$(id)", "`id`", "&& curl x", "& cmd.exe /c dir", ";/bin/cat x", "/???/c?t x"),
        *(
            "${jndi:ldap://x}",
            "#{7*7}",
            "%{x}",
            "{{7*7}}",
            "<%= 1 %>",
            "require('fs')",
            "__proto__",
            "php://input",
        ),
        *(
            "file:///etc/x",
            'O:4:"User":0:{}',
            "rO0ABXNy",
            "+ADw-script",
            "<script>x",
            "x onerror=1",
            "../../x",
        ),
        *("system('id')", "(sys)('id')", "javascript:x", "c:/windows/x", "constructor.constructor(x)"),
        *("class.module.x", "java.lang.Runtime"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_denies_injections_in_queries_encoded_once_or_twice(value: str, times: int) -> None:
    text = value
    for _ in range(times):
        text = quote(text, safe="")
    assert denied_by(f"/jobs?q={text}") == "Injections in the query, endless queries"


def test_denies_queries_longer_than_a_client_needs() -> None:
    assert denied_by("/jobs?cursor=" + "a" * 4090) == "Injections in the query, endless queries"
    assert denied_by("/jobs?cursor=" + "a" * 4089) is None


@pytest.mark.parametrize(
    "query",
    [
        *("page=1&limit=10", "sort=-created_at", "aspect=16:9", "id=5&sh=1", "filter[a][b]=1", "tags[]=x"),
        *("since=2026-11-24T00%3A00%3A00%2B01%3A00", "video_url=https%3A%2F%2Fx.example%2Fv.mp4"),
        *("redirect_uri=https%3A%2F%2Fapp.example%2Fcb", "profile=https%3A%2F%2Fx.example"),
    ],
)
def test_lets_queries_of_clients_pass(query: str) -> None:
    assert denied_by(f"/jobs?{query}") is None


@pytest.mark.parametrize(
    "text",
    [
        *("l'été", "rock 'n' roll", "it's 'ok'; thanks", '"cat" OR "dog"', "Tom & Jerry", "dog & cat"),
        *("100%", "a+b", "wow!!! great", "part ABC-12", "order by union", "select a union", "映画", "3 < 4"),
        *("<3", "on load of x", "C# und F#", "why -- because", "a; b; c", "(a) or (b)", "5 $ or 6 $"),
    ],
)
def test_lets_texts_that_people_look_for_pass(text: str) -> None:
    assert denied_by(f"/jobs?q={quote(text, safe='')}") is None


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"referer": "${jndi:ldap://x}"}, "Injections in referer and cookies"),
        ({"cookie": "a=b; prefs=%24%7Bjndi:x%7D"}, "Injections in referer and cookies"),
        ({"cookie": "a=1|whoami"}, "Injections in referer and cookies"),
        ({"x_api_version": "${jndi:ldap://x}"}, "Lookups in a version, bodies with two lengths"),
        (
            {"transfer_encoding": "chunked", "content_length": "4"},
            "Lookups in a version, bodies with two lengths",
        ),
        ({"x_forwarded_for": "${jndi:x}"}, "Injections in address and authorization"),
        ({"authorization": "Bearer ${jndi:x}"}, "Injections in address and authorization"),
        ({"cookie": "theme=dark; id=5; env=prod; ls=2; session=eyJh.bGci.x_-"}, None),
        ({"cookie": "c={stamp:%27k3==%27%2Cver:1}; d=%7B%22a%22%3A%20%221%22%7D"}, None),
        ({"referer": "https://www.google.com/search?q=%22text+to+speech%22&oq=a"}, None),
        ({"x_forwarded_for": "' or 1=1"}, "Injections in address and authorization"),
        ({"referer": "https://x.example/?q=' or 1=1"}, "Injections in referer and cookies"),
        ({"x_forwarded_for": "[2001:db8::1]:443, unknown, 198.51.100.1:80"}, None),
        ({"transfer_encoding": "chunked"}, None),
        ({"content_length": "4"}, None),
        ({"x_forwarded_for": "203.0.113.7, 10.8.0.1", "authorization": "Bearer sk_live_1"}, None),
    ],
)
def test_judges_headers_that_sets_do_not_read(headers: dict[str, str], rule: str | None) -> None:
    assert denied_by("/jobs", **headers) == rule


def test_five_denials_and_eight_waf_rules_count_towards_the_quota() -> None:
    rules = compile_rules([*form_rules(), *waf_rules()])
    assert len(rules) == 13
    assert [rule.action for rule in rules[:2]] == ["deny(404)", "deny(403)"]
