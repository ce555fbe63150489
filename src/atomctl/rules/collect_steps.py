"""Takes the handlers of a package's manifest apart: shell code, requests, Kubernetes objects and patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from atomctl.rules import settings
from atomctl.rules.collect_objects import kubernetes_object
from atomctl.rules.collect_scripts import argument_list, shell_text
from atomctl.rules.extract import KubernetesObject, objects_in
from atomctl.rules.material import Material, Spot
from atomctl.rules.shape import mapping, sequence, text
from atomctl.rules.source import YamlSource
from atomctl.rules.subjects import PackageFacts, Step
from atomctl.wpk.model import HandlerType, Manifest


def package(manifest: Manifest, source: YamlSource, into: Material) -> None:
    """The package as a whole, and each of its handlers and probes."""
    steps = tuple(Step(h, ("spec", "handlers", i)) for i, h in enumerate(manifest.handlers))
    rollback = tuple(Step(h, ("spec", "rollback", "handlers", i)) for i, h in enumerate(manifest.rollback.handlers))
    into.add(source, PackageFacts(manifest, steps, rollback, into.scripts), f"package {manifest.name}")
    for step in (*steps, *rollback):
        _config(step.handler.type, step.handler.config, Spot(source, (*step.path, "config"), step.label), into)
        probe = step.handler.probe
        if probe is not None:
            spot = Spot(source, (*step.path, "probe", "config"), f"{step.label} probe")
            _config(probe.type, probe.config, spot, into)


def _config(kind: HandlerType, config: Mapping[str, Any], spot: Spot, into: Material) -> None:
    match kind:
        case HandlerType.SHELL:
            _shell(config, spot, into)
        case HandlerType.API:
            into.add(spot.source, settings.call(config, spot.path, spot.label), spot.label)
        case HandlerType.K8S:
            _kubernetes(config, spot, into)
        case HandlerType.APPROVAL | HandlerType.PACKAGE:
            pass
        case _:
            assert_never(kind)


def _shell(config: Mapping[str, Any], spot: Spot, into: Material) -> None:
    command = config.get("command")
    if isinstance(command, str):
        shell_text(spot.at("command"), command, into)
    for key in ("command", "args"):
        words: list[tuple[object, tuple[str | int, ...]]]
        words = [(word, (key, index)) for index, word in enumerate(sequence(config.get(key)))]
        argument_list(spot, words, into)
    for setting in settings.of_environment(mapping(config.get("env")), (*spot.path, "env")):
        into.add(spot.source, setting, spot.label)


def _kubernetes(config: Mapping[str, Any], spot: Spot, into: Material) -> None:
    source = spot.source
    assert isinstance(source, YamlSource), "handlers stand in the package's own manifest"
    manifest, patch = config.get("manifest"), config.get("patch")
    if isinstance(manifest, dict):
        for item in objects_in(manifest, spot.at("manifest").path):
            kubernetes_object(source, item, into)
    if isinstance(patch, dict):
        target = KubernetesObject(
            kind=text(config.get("kind")),
            api_version=text(config.get("api_version")),
            name=text(config.get("name")),
            path=spot.at("patch").path,
            value=patch,
        )
        kubernetes_object(source, target, into, partial=True)
