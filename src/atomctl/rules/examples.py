"""Writes the examples of rules: only what matters is spelled out, the rest of the file is filled in around it."""

from __future__ import annotations

from textwrap import dedent, indent

from atomctl.rules.model import Example

_DIGEST = "sha256:9f1003c480699be56815db0f8146ad2e22efea85129b5b5983d0e0fb52d9ab70"
_IMAGE = f"registry.example/web@{_DIGEST}"


def _flush(text: str) -> str:
    return dedent(text) if "\n " in text else text


def manifest(text: str) -> Example:
    """A file of Kubernetes objects."""
    return Example(_flush(text).strip() + "\n")


def pod(fields: str = "", *, container: str = "", volumes: str = "", annotations: str = "") -> Example:
    """A Deployment of one container: `fields` of the Pod spec, fields of the `container`, `volumes`, `annotations`."""
    lines = [
        "apiVersion: apps/v1",
        "kind: Deployment",
        "metadata: {name: web}",
        "spec:",
        "  template:",
    ]
    if annotations:
        lines += ["    metadata:", "      annotations:", indent(_flush(annotations).strip(), " " * 8)]
    lines.append("    spec:")
    if fields:
        lines.append(indent(_flush(fields).strip(), " " * 6))
    if volumes:
        lines += ["      volumes:", indent(_flush(volumes).strip(), " " * 8)]
    lines += ["      containers:", "        - name: app"]
    if "image:" not in container:
        lines.append(f"          image: {_IMAGE}")
    if container:
        lines.append(indent(_flush(container).strip(), " " * 10))
    return Example("\n".join(lines) + "\n")


def script(text: str) -> Example:
    """A shell script."""
    return Example("#!/bin/sh\n" + _flush(text).strip() + "\n", "scripts/example.sh")


def package(spec: str) -> Example:
    """A package's own manifest; `spec` is what stands under `spec:`."""
    head = "apiVersion: atom/v1\nkind: WorkflowPackage\nmetadata: {name: example, version: 1.0.0}\n"
    return Example(f"{head}spec:\n{indent(_flush(spec).strip(), '  ')}\n", "wpk.yaml")


def handlers(text: str, before: str = "", beside: tuple[tuple[str, str], ...] = ()) -> Example:
    """A package's own manifest with these handlers, what stands `before` them, and the files they name."""
    made = package(f"{_flush(before)}handlers:\n{indent(_flush(text).strip(), '  ')}\n")
    return Example(made.text, made.file, beside)
