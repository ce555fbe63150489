"""Reading a package stays cheap for a command that starts, reads and ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "hello-atom"
READ = f"""
import sys
from pathlib import Path
from atomctl.wpk.archive import load_source, pack
pack(load_source(Path({str(EXAMPLE)!r})))
print(*sorted(sys.modules))
"""


def test_reading_a_package_imports_neither_cel_nor_pydantic_nor_compression() -> None:
    done = subprocess.run([sys.executable, "-c", READ], check=True, capture_output=True, text=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "yaml" in loaded
    assert loaded.isdisjoint(
        {"cel_expr_python", "pydantic", "zstandard", "httpx", "fastapi", "psycopg", "cryptography"}
    )
