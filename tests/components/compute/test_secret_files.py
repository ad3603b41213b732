"""Files of secrets: folders and volumes of their own, apart from the collector of metrics."""

from __future__ import annotations

import pytest

from components.compute.http_service import MetricsCollector, SecretFile, SecretVersion
from tests.components.compute.test_http_service import IMAGE, example_args


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        ("collector-config", "/etc/x/a", "secret_files keys must not be collector-config beside a collector"),
        ("a", "/etc/rungmp/a", "secret_files.a.path must not be under /etc/rungmp beside a collector"),
        ("a", "/etc/rungmp/b/a", "secret_files.a.path must not be under /etc/rungmp beside a collector"),
    ],
)
def test_fails_when_a_file_is_where_the_collector_reads(name: str, path: str, message: str) -> None:
    files = {name: SecretFile(content=SecretVersion(secret="s", version="1"), path=path)}
    assert example_args(secret_files=files).secret_files == files
    with pytest.raises(ValueError, match=message):
        example_args(secret_files=files, metrics_collector=MetricsCollector(image=IMAGE))


def test_fails_when_two_files_share_a_folder() -> None:
    content = SecretVersion(secret="s", version="1")
    files = {
        "a": SecretFile(content=content, path="/etc/x/a"),
        "b": SecretFile(content=content, path="/etc/x/b"),
    }
    with pytest.raises(ValueError, match=r"b.path must have a folder of its own, got /etc/x like a; move it"):
        example_args(secret_files=files)


@pytest.mark.parametrize("name", ["cloudsql", "Redis"])
def test_fails_when_a_volume_name_is_taken_or_illegal(name: str) -> None:
    file = SecretFile(content=SecretVersion(secret="s", version="1"), path="/etc/x/a")
    with pytest.raises(ValueError, match=r"secret_files keys must be .*; rename it"):
        example_args(secret_files={name: file})


@pytest.mark.parametrize("path", ["etc/x", "/ca.pem", "/etc/a:b/c"])
def test_fails_when_a_secret_file_has_no_folder_of_its_own(path: str) -> None:
    with pytest.raises(
        ValueError, match=r"path must be absolute, inside a folder and without a colon, .*; correct"
    ):
        SecretFile(content=SecretVersion(secret="s", version="1"), path=path)
