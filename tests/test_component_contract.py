"""What every component promises, checked by discovery: a new module needs only its sibling test's
`example_args`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_args, get_origin

import pulumi
import pytest

from tests.recording import Build, Recorded, Recorder

ROOT = Path(__file__).parent.parent
NAME = "subject"

# Types whose `labels` are something else than labels of the resource, with what that is.
NOT_RESOURCE_LABELS = {
    "gcp:monitoring/metricDescriptor:MetricDescriptor": "dimensions of a metric",
}


@dataclass(frozen=True)
class Found:
    """A component and where it lives."""

    area: str
    module: str
    class_name: str

    def __str__(self) -> str:
        return f"{self.area}.{self.module}.{self.class_name}"

    def load(self) -> type[pulumi.ComponentResource]:
        module = importlib.import_module(f"components.{self.area}.{self.module}")
        return cast("type[pulumi.ComponentResource]", getattr(module, self.class_name))

    def example_args(self) -> Any:
        return _sibling_test(self).example_args()

    def lookups(self) -> dict[str, dict[str, Any]]:
        """What Google answers, where the component asks for something that it has just made."""
        return getattr(_sibling_test(self), "LOOKUPS", {})


def discover() -> Iterator[Found]:
    """Every subclass of ComponentResource under components/, read from the source without importing it."""
    for path in sorted((ROOT / "components").glob("*/*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and any(
                ast.unparse(base).endswith("ComponentResource") for base in node.bases
            ):
                yield Found(path.parent.name, path.stem, node.name)


def _sibling_test(found: Found) -> ModuleType:
    path = ROOT / "tests" / "components" / found.area / f"test_{found.module}.py"
    assert path.exists(), f"{found} needs {path.relative_to(ROOT)} with example_args()"
    spec = importlib.util.spec_from_file_location(f"contract_{found.area}_{found.module}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    assert hasattr(module, "example_args"), f"{path.relative_to(ROOT)} needs example_args()"
    return module


COMPONENTS = list(discover())
every_component = pytest.mark.parametrize("found", COMPONENTS, ids=str)


@dataclass(frozen=True)
class Run:
    """One component built from its example arguments."""

    component: pulumi.ComponentResource
    root: Recorded
    children: list[Recorded]
    outputs: Mapping[str, Any]


@pytest.fixture
def run(found: Found, build: Build, recorder: Recorder) -> Run:
    factory = cast("Any", found.load())
    recorder.invokes.update(found.lookups())
    component = build(lambda: factory(NAME, found.example_args()))
    roots = [resource for resource in recorder.resources if "pulumi:pulumi:Stack::" in resource.parent]
    assert [root.name for root in roots] == [NAME], (
        "a child has no parent, or the component is not registered"
    )
    root = roots[0]
    return Run(
        component=component,
        root=root,
        children=[resource for resource in recorder.resources if resource is not root],
        outputs=recorder.outputs.get(root.urn, {}),
    )


def test_components_are_found() -> None:
    assert len(COMPONENTS) >= 10


@every_component
def test_constructor_is_name_args_opts(found: Found) -> None:
    parameters = list(inspect.signature(found.load().__init__).parameters.values())
    assert [parameter.name for parameter in parameters] == ["self", "name", "args", "opts"]
    assert [parameter.default for parameter in parameters[1:3]] == [inspect.Parameter.empty] * 2
    assert parameters[3].default is None


@every_component
def test_arguments_are_frozen_and_keyword_only(found: Found) -> None:
    args = cast("type[Any]", type(found.example_args()))
    assert args.__name__ == f"{found.class_name}Args"
    assert is_dataclass(args)
    assert cast("Any", args).__dataclass_params__.frozen
    assert all(
        parameter.kind is inspect.Parameter.KEYWORD_ONLY
        for parameter in inspect.signature(args).parameters.values()
    )
    assert hasattr(args, "__slots__")


@every_component
def test_module_names_what_it_offers(found: Found) -> None:
    module = importlib.import_module(f"components.{found.area}.{found.module}")
    assert {found.class_name, f"{found.class_name}Args"} <= set(module.__all__)
    assert module.__doc__


@every_component
def test_type_token_names_area_and_class(found: Found, run: Run) -> None:
    assert run.root.type == f"aiprod:{found.area}:{found.class_name}"


@every_component
def test_children_belong_to_the_component(found: Found, run: Run) -> None:
    known = {run.root.urn, *(child.urn for child in run.children if not child.custom)}
    orphans = [(child.type, child.name) for child in run.children if child.parent not in known]
    assert run.children
    assert not orphans


@every_component
def test_children_are_named_after_the_component(found: Found, run: Run) -> None:
    strangers = [
        child.name for child in run.children if child.name != NAME and not child.name.startswith(f"{NAME}-")
    ]
    assert not strangers


@every_component
def test_no_two_children_share_type_and_name(found: Found, run: Run) -> None:
    identities = [(child.type, child.name) for child in run.children]
    assert len(identities) == len(set(identities))


@every_component
def test_labels_are_given_wherever_the_type_has_them(found: Found, run: Run) -> None:
    missing = [
        f"{child.type} {child.name}"
        for child in run.children
        if child.custom
        for path in [_labels_path(child.type)]
        if path and not _at(child.inputs, path)
    ]
    assert not missing


@every_component
def test_registered_outputs_are_the_annotated_attributes(found: Found, run: Run) -> None:
    annotated = set(found.load().__annotations__)
    assert set(run.outputs) == annotated
    for attribute in annotated:
        assert getattr(run.component, attribute) is not None


@every_component
def test_outputs_in_a_mapping_are_scalars(found: Found) -> None:
    """On the second deployment the SDK holds a component's outputs against its annotations: an output of a
    mapping or list inside a mapping fails there."""
    for hint in inspect.get_annotations(found.load(), eval_str=True).values():
        if get_origin(hint) is not pulumi.Output:
            for inner in get_args(hint):
                assert get_origin(inner) is not pulumi.Output or get_args(inner)[0] in {str, int, bool, float}


def _labels_path(token: str) -> tuple[str, ...]:
    """Where the labels of a resource type stand in its inputs; empty when Google offers none."""
    if token == "gcp:sql/databaseInstance:DatabaseInstance":
        return ("settings", "userLabels")
    package, module, name = token.split(":")
    if package != "gcp":
        return ()
    # One token ends in small letters: privilegedaccessmanager/entitlement:entitlement.
    class_name = name[0].upper() + name[1:]
    resource = getattr(importlib.import_module(f"pulumi_gcp.{module.split('/')[0]}"), class_name)
    parameters = inspect.signature(resource._internal_init).parameters
    if "user_labels" in parameters:
        return ("userLabels",)
    if "labels" in parameters and token not in NOT_RESOURCE_LABELS:
        return ("labels",)
    return ()


def _at(inputs: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = inputs
    for key in path:
        value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    return value
