"""The committed OpenAPI document, generated from the routes."""

from __future__ import annotations

import json

from atomctl.server.app import build_app

PAGE = "docs/reference/openapi.json"


def render() -> str:
    """The OpenAPI 3.1 document as JSON that a diff can be read of."""
    return json.dumps(build_app().openapi(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201  # the document goes to stdout, to be redirected
