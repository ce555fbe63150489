"""Named values wherever they are set: environment variables, Secrets; and the requests of handlers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from atomctl.rules.extract import KubernetesObject
from atomctl.rules.facts import ContainerFacts
from atomctl.rules.hosts import urls
from atomctl.rules.model import Path
from atomctl.rules.shape import mapping, mappings, text
from atomctl.rules.subjects import CallFacts, Origin, SettingFacts


def of_container(container: ContainerFacts) -> Iterator[SettingFacts]:
    """The environment of a container."""
    for index, entry in mappings(container.value.get("env")):
        name, value = entry.get("name"), entry.get("value")
        if isinstance(name, str) and isinstance(value, str):
            yield SettingFacts(Origin.ENVIRONMENT, name, value, container.at("env", index, "value"))


def of_secret(item: KubernetesObject) -> Iterator[SettingFacts]:
    """The entries of a Secret; those of `data` decoded."""
    for section in ("data", "stringData"):
        for name, value in mapping(item.value.get(section)).items():
            if isinstance(value, str):
                shown = _decoded(value) if section == "data" else value
                yield SettingFacts(Origin.SECRET, name, shown, (*item.path, section, name))


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value


def of_environment(env: Mapping[str, Any], path: Path) -> Iterator[SettingFacts]:
    """The `env` of a shell handler."""
    for name, value in env.items():
        if isinstance(value, str):
            yield SettingFacts(Origin.ENVIRONMENT, name, value, (*path, name))


def call(config: Mapping[str, Any], path: Path, label: str) -> CallFacts:
    """The request of an `api` handler."""
    url = text(config.get("url"))
    return CallFacts(
        label=label,
        path=path,
        method=text(config.get("method")) or "GET",
        parsed=next(urls(url), None),
        config=config,
    )
