"""A backup server: an index, checksums and files, over HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def backup_server(folder: Path) -> Iterator[int]:
    """The port of a server of what lies in `folder`, which is made."""
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="backups")
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def back_up(folder: Path, name: str, files: Mapping[str, bytes], *, age_hours: int = 3, damaged: str = "") -> None:
    """Afterwards the set `name` of `folder` has a newest backup of these files, one of which is damaged if named."""
    latest = folder / name / "latest"
    (latest / "files").mkdir(parents=True)
    for file, data in files.items():
        (latest / "files" / file).write_bytes(data[::-1] if file == damaged else data)
    sums = [f"{hashlib.sha256(data).hexdigest()}  {file}\n" for file, data in sorted(files.items())]
    (latest / "SHA256SUMS").write_text("".join(sums))
    (latest / "index.json").write_text(json.dumps({"age_hours": age_hours, "files": sorted(files)}))
