"""Kubernetes quantities as numbers, image references as parts."""

from __future__ import annotations

import pytest

from atomctl.rules.image import Image, parse_image
from atomctl.rules.quantity import thousandths

SHA = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1000),
        (2, 2000),
        (0.5, 500),
        ("500m", 500),
        ("1.5", 1500),
        ("100u", 1),
        ("1n", 1),
        ("0", 0),
        ("1Ki", 1_024_000),
        ("1.5Gi", 1_610_612_736_000),
        ("1k", 1_000_000),
        ("1e3", 1_000_000),
        ("1E3", 1_000_000),
        ("12E", 12 * 10**21),
        ("-1", -1000),
        (".5", 500),
        ("5.", 5000),
    ],
)
def test_a_quantity_is_a_number_of_thousandths(text: object, value: int) -> None:
    assert thousandths(text) == value


@pytest.mark.parametrize("text", ["", "Gi", "1GB", "1 Gi", "1..5", "one", "--1", True, None, [], "9" * 50, "1e9999"])
def test_what_is_no_quantity_is_none(text: object) -> None:
    assert thousandths(text) is None


@pytest.mark.parametrize(
    ("reference", "image"),
    [
        ("nginx", Image("docker.io", "library/nginx", "latest", "", False)),
        ("nginx:1.2", Image("docker.io", "library/nginx", "1.2", "", True)),
        ("bitnami/nginx", Image("docker.io", "bitnami/nginx", "latest", "", False)),
        ("registry.example:5000/a/b", Image("registry.example:5000", "a/b", "latest", "", False)),
        ("localhost/a:x", Image("localhost", "a", "x", "", True)),
        (f"registry.example/a@{SHA}", Image("registry.example", "a", "", SHA, False)),
        (f"registry.example/a:1@{SHA}", Image("registry.example", "a", "1", SHA, True)),
    ],
)
def test_a_reference_falls_into_its_parts(reference: str, image: Image) -> None:
    assert parse_image(reference) == image


@pytest.mark.parametrize(
    "reference", ["", "a b", "Nginx", "${IMAGE}", "a@sha256:12", f"a@md5:{'a' * 64}", None, 7, "a\nb", "x" * 2000]
)
def test_what_is_no_reference_is_none(reference: object) -> None:
    assert parse_image(reference) is None
