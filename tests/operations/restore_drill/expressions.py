"""Expressions of Google Workflows, as far as the drill uses them: anything else is an error, never a guess.

The grammar is close to Python's, so Python's parser reads them and this walks the tree. Sources: the pages
"Expressions", "Expression helpers" and "Standard library" of the Workflows documentation.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final, cast

__all__ = ["MAX_LENGTH", "UnsupportedError", "WorkflowError", "evaluate", "parse"]

# https://cloud.google.com/workflows/quotas
MAX_LENGTH: Final = 400
_CONSTANTS: Final[Mapping[str, Any]] = {"true": True, "false": False, "null": None}


class UnsupportedError(Exception):
    """The definition uses what this does not know."""


class WorkflowError(Exception):
    """An error inside the workflow; `value` is what `except` gets."""

    def __init__(self, value: Any) -> None:
        super().__init__(json.dumps(value, default=str))
        self.value = value


def fail(kind: str, message: str) -> WorkflowError:
    """An error of the runtime itself."""
    return WorkflowError({"tags": [kind], "message": f"{kind}: {message}"})


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "double", str: "string", list: "list", dict: "map"}
    return "null" if value is None else names[cast("type[Any]", type(value))]


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fail("TypeError", f"a number is needed, got {_type(value)}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise fail("TypeError", f"a string is needed, got {_type(value)}")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise fail("TypeError", f"a boolean is needed, got {_type(value)}")
    return value


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise fail("TypeError", f"a map is needed, got {_type(value)}")
    return cast("dict[str, Any]", value)


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | str):
        return str(value)
    raise fail("TypeError", f"string() takes no {_type(value)}")


def _int(value: Any) -> int:
    try:
        return int(value) if isinstance(value, str) else int(_number(value))
    except ValueError:
        raise fail("ValueError", f"{value!r} is no integer") from None


def _get(value: Any, keys: Any) -> Any:
    """Null for what is not there, as long as each step on the way is a map."""
    for key in cast("list[Any]", keys) if isinstance(keys, list) else [keys]:
        if value is None:
            return None
        value = _map(value).get(_text(key))
    return value


def _parse_time(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        raise fail("ValueError", f"{value!r} is no time") from None
    return moment.astimezone(UTC).timestamp()


def _if(condition: Any, then: Any, otherwise: Any) -> Any:
    return then if condition is not None and _boolean(condition) else otherwise


def _concat(items: Any, item: Any) -> list[Any]:
    if not isinstance(items, list):
        raise fail("TypeError", f"a list is needed, got {_type(items)}")
    return [*cast("list[Any]", items), item]


def _len(value: Any) -> int:
    if not isinstance(value, str | list | dict):
        raise fail("TypeError", f"len() takes no {_type(value)}")
    return len(cast("str | list[Any]", value))


def _delete(value: Any, key: Any) -> dict[str, Any]:
    return {name: item for name, item in _map(value).items() if name != key}


def _default(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _encode(value: Any) -> str:
    return json.dumps(value)


def _decode(value: Any) -> Any:
    return json.loads(_text(value))


def _max(one: Any, other: Any) -> int | float:
    return max(_number(one), _number(other))


def _match(source: Any, pattern: Any) -> bool:
    return re.search(_text(pattern), _text(source)) is not None


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "default": _default,
    "if_": _if,
    "int": _int,
    "string": _string,
    "len": _len,
    "get_type": _type,
    "map.get": _get,
    "map.delete": _delete,
    "list.concat": _concat,
    "json.encode_to_string": _encode,
    "json.decode": _decode,
    "math.max": _max,
    "text.match_regex": _match,
    "time.parse": _parse_time,
}


def parse(expression: str) -> ast.expr:
    """The tree of what stands between `${` and `}`."""
    if len(expression) > MAX_LENGTH:
        raise UnsupportedError(f"expression longer than {MAX_LENGTH} characters: {expression}")
    if "'" in re.sub(r'"[^"]*"', "", expression):
        raise UnsupportedError(f"strings stand in double quotes: {expression}")
    try:
        tree = ast.parse(re.sub(r"\bif\(", "if_(", expression), mode="eval").body
    except SyntaxError as error:
        raise UnsupportedError(f"{error.msg}: {expression}") from None
    _check(tree)
    return tree


def _check(tree: ast.expr) -> None:
    allowed = (
        *(ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Compare, ast.Constant, ast.Name, ast.Attribute),
        *(ast.Subscript, ast.Call, ast.List, ast.Load, ast.operator, ast.boolop, ast.unaryop, ast.cmpop),
    )
    for node in ast.walk(tree):
        if not isinstance(node, allowed) or isinstance(node, ast.Is | ast.IsNot | ast.NotIn | ast.Pow):
            raise UnsupportedError(f"{type(node).__name__} is not known here: {ast.unparse(tree)}")
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name not in _FUNCTIONS and name not in ("sys.now", "sys.get_env"):
                raise UnsupportedError(f"the function {name} is not known here")


def evaluate(tree: ast.expr, variables: Mapping[str, Any], host: Mapping[str, Callable[..., Any]]) -> Any:
    """The value; `host` gives the functions that look outside."""

    def value(node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.List():
                return [value(item) for item in node.elts]
            case ast.Name():
                if node.id in _CONSTANTS:
                    return _CONSTANTS[node.id]
                if node.id not in variables:
                    raise fail("KeyError", f"variable {node.id} is not set")
                return variables[node.id]
            case ast.Attribute():
                return _item(value(node.value), node.attr)
            case ast.Subscript():
                return _item(value(node.value), value(node.slice))
            case ast.Call():
                function = {**_FUNCTIONS, **host}[ast.unparse(node.func)]
                return function(*[value(argument) for argument in node.args])
            case ast.UnaryOp():
                return _unary(node.op, value(node.operand))
            case ast.BoolOp():
                return _logical(node, value)
            case ast.BinOp():
                return _arithmetic(node.op, value(node.left), value(node.right))
            case ast.Compare():
                return _compare(node, value)
            case _:
                raise UnsupportedError(ast.unparse(node))

    return deepcopy(value(tree))


def _item(holder: Any, key: Any) -> Any:
    if isinstance(holder, list) and isinstance(key, int):
        items = cast("list[Any]", holder)
        if not 0 <= key < len(items):
            raise fail("IndexError", f"index {key} is out of range")
        return items[key]
    entries = _map(holder)
    if key not in entries:
        raise fail("KeyError", f"key not found: {key}")
    return entries[key]


def _unary(operator: ast.unaryop, operand: Any) -> Any:
    if isinstance(operator, ast.Not):
        return not _boolean(operand)
    if isinstance(operator, ast.USub):
        return -_number(operand)
    raise UnsupportedError(type(operator).__name__)


def _logical(node: ast.BoolOp, value: Callable[[ast.expr], Any]) -> bool:
    wanted = isinstance(node.op, ast.Or)
    return wanted if any(_boolean(value(one)) == wanted for one in node.values) else not wanted


def _arithmetic(operator: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(operator, ast.Add) and (isinstance(left, str) or isinstance(right, str)):
        return _text(left) + _text(right)
    one, other = _number(left), _number(right)
    match operator:
        case ast.Add():
            return one + other
        case ast.Sub():
            return one - other
        case ast.Mult():
            return one * other
        case ast.Div():
            return one / other
        case _:
            raise UnsupportedError(type(operator).__name__)


def _compare(node: ast.Compare, value: Callable[[ast.expr], Any]) -> bool:
    if len(node.ops) != 1:
        raise UnsupportedError(f"one comparison at a time: {ast.unparse(node)}")
    left, right = value(node.left), value(node.comparators[0])
    match node.ops[0]:
        case ast.Eq():
            return left == right
        case ast.NotEq():
            return left != right
        case ast.In():
            return left in (right if isinstance(right, list) else _map(right))
        case ast.Lt():
            return _number(left) < _number(right)
        case ast.LtE():
            return _number(left) <= _number(right)
        case ast.Gt():
            return _number(left) > _number(right)
        case ast.GtE():
            return _number(left) >= _number(right)
        case _:
            raise UnsupportedError(ast.unparse(node))
