"""Images of PostgreSQL and of an S3 server for the node, made of what the tests have: nothing is pulled from anywhere.

They start as the published ones do: `POSTGRES_PASSWORD`, `POSTGRES_DB` and `PGDATA`; `versitygw` on the path.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.requirement import require
from tools.build import cache, tool
from tools.kubernetes.images import archives
from tools.kubernetes.oci import SEARCH_PATH, ImageConfig, write_image

from atomctl.db.binaries import LIBRARIES, wheel_binaries

POSTGRES, S3 = "localhost/postgres:18.4", "localhost/versitygw:1.8.0"
_NUMBER = 1
"""Counted up when the images have to be made anew."""
_USER = 999
_ENTRYPOINT = """#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
  initdb --pgdata="$PGDATA" --encoding=UTF8 --locale=C --username=postgres \\
    --auth-local=trust --auth-host=scram-sha-256 --pwfile=/tmp/password
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  echo "CREATE DATABASE \\"$POSTGRES_DB\\"" | postgres --single -D "$PGDATA" postgres
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
"""


def postgres_archive() -> Path:
    """An archive with `POSTGRES`; it is made if it is not there."""
    archive = cache() / f"surrounding-postgres-{_NUMBER}.tar"
    if not archive.exists():
        binaries = wheel_binaries(18)
        tree, package = binaries.folder.parent, binaries.folder.parents[1]
        inside = Path("usr/local/lib/postgres")
        with _debian() as root:
            shutil.copytree(tree, root / inside / package.name / tree.name, symlinks=True)
            shutil.copytree(package.with_name(LIBRARIES), root / inside / LIBRARIES, symlinks=True)
            with (root / "etc/passwd").open("a") as users:
                users.write(f"postgres:x:{_USER}:{_USER}::/var/lib/postgresql:/usr/sbin/nologin\n")
            entrypoint = root / "usr/local/bin/docker-entrypoint.sh"
            entrypoint.write_text(_ENTRYPOINT)
            entrypoint.chmod(0o755)
            path = f"/{inside}/{package.name}/{tree.name}/bin:{SEARCH_PATH}"
            write_image(archive, POSTGRES, root, ImageConfig(entrypoint=[entrypoint.name], environment={"PATH": path}))
    return archive


def s3_archive() -> Path:
    """An archive with `S3`; it is made if it is not there."""
    archive = cache() / f"surrounding-s3-{_NUMBER}.tar"
    if not archive.exists():
        wanted = tool("versitygw")
        require(wanted.binary.exists(), f"versitygw {wanted.version}, an S3 server with Object Lock", "make tools")
        with tempfile.TemporaryDirectory(prefix="surrounding-", dir=cache()) as name:
            program = Path(name) / "root" / "usr/local/bin/versitygw"
            program.parent.mkdir(parents=True)
            shutil.copy2(wanted.binary, program)
            write_image(archive, S3, Path(name) / "root", ImageConfig(command=["versitygw"]))
    return archive


@contextmanager
def _debian() -> Iterator[Path]:
    """A folder with the minimal Debian that is the only layer of the image every node has; gone afterwards."""
    python = archives()[1]
    require(python.exists(), "the images of a Kubernetes node", "make tools    # as root")
    with tempfile.TemporaryDirectory(prefix="surrounding-", dir=cache()) as name:
        root = Path(name) / "root"
        root.mkdir()
        with tarfile.open(python) as image:
            layer = image.extractfile(max(image.getmembers(), key=lambda entry: entry.size))
            with tarfile.open(fileobj=layer) as files:
                files.extractall(root, filter="tar")
        yield root
