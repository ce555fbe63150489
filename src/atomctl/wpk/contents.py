"""Whether a package holds what its manifest names."""

from __future__ import annotations

from collections.abc import Mapping

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.model import Manifest
from atomctl.wpk.tar import FileEntry


def check_contents(manifest: Manifest, files: Mapping[str, FileEntry]) -> None:
    """Refuses a manifest that names a file the package lacks.

    Raises:
        AtomError: WPK122 a script or Kubernetes manifest is missing, or a script is not executable.
    """
    for handler in (*manifest.handlers, *manifest.rollback.handlers):
        configs = (handler.config, handler.probe.config if handler.probe else {})
        for config in configs:
            _check_file(handler.name, config.get("script"), files, executable=True)
            _check_file(handler.name, config.get("manifest"), files, executable=False)


def _check_file(handler: str, name: object, files: Mapping[str, FileEntry], *, executable: bool) -> None:
    if not isinstance(name, str):
        return
    entry = files.get(name)
    if entry is None:
        raise AtomError(codes.MISSING_FILE, f"handler {handler} names {name}, which is not in the package")
    if executable and not entry.executable:
        raise AtomError(codes.MISSING_FILE, f"handler {handler} runs {name}, which is not executable")
