"""A package signed by the real cosign, offline: a key of its own, no log, no timestamp, no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from atomctl.controls.codes import UNEXPECTED_ANSWER
from atomctl.controls.notebook import Notebook
from atomctl.controls.site import Site
from atomctl.errors import AtomError
from atomctl.settings import Settings

_SECONDS = 40.0
# cosign would ask the public instances; a key needs neither, so it is given an empty configuration of each.
_NOBODY_TO_ASK = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "rekorTlogConfig": {},
    "tsaConfig": {},
}
_EMPTY_ROOT = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}


@dataclass(frozen=True, slots=True)
class Signed:
    """What cosign made: the public half of its new key, and its bundle."""

    public_pem: bytes
    bundle: bytes


def program(settings: Settings) -> str | None:
    """The cosign to use: the one that is set, else the one on the path."""
    return str(settings.cosign) if settings.cosign else shutil.which("cosign")


def why_not(site: Site) -> str | None:
    """Why there is no cosign to ask, or None."""
    if program(site.settings) is None:
        return "no cosign on the path; name one with ATOM_COSIGN"
    return None


def sign(settings: Settings, data: bytes, book: Notebook) -> Signed:
    """`data` signed with a new key, which is gone afterwards.

    Raises:
        AtomError: CTL902 cosign failed.
    """
    found = program(settings)
    assert found is not None, "the probe applies only where there is a cosign"
    with tempfile.TemporaryDirectory(prefix="atom-cosign-") as name:
        folder = Path(name)
        (folder / "config.json").write_text(json.dumps(_NOBODY_TO_ASK))
        (folder / "root.json").write_text(json.dumps(_EMPTY_ROOT))
        (folder / "blob").write_bytes(data)
        version = _run(found, folder, "version", "--json=true")
        _run(found, folder, "generate-key-pair", "--output-key-prefix", "probe")
        offline = ["--signing-config", "config.json", "--trusted-root", "root.json"]
        _run(found, folder, "sign-blob", "--yes", "--key", "probe.key", "--bundle", "bundle.json", *offline, "blob")
        signed = Signed((folder / "probe.pub").read_bytes(), (folder / "bundle.json").read_bytes())
    book.note("cosign", json.loads(version).get("gitVersion", "unknown"), data, signed.bundle)
    return signed


def _run(found: str, folder: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "COSIGN_PASSWORD": "probe"}
    done = subprocess.run(
        [found, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise AtomError(UNEXPECTED_ANSWER, f"cosign {arguments[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout
