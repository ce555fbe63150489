"""Every code of the program is complete, unique and explained."""

import pickle
import re

import pytest

from atomctl.errors import AtomError, Code, ExitCode
from atomctl.explanation.known_codes import all_codes

CODES = all_codes()


@pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
def test_a_code_says_what_it_means_and_what_to_do(code: Code) -> None:
    assert re.fullmatch(r"[A-Z]{3}\d{3}", code.id)
    assert code.title
    assert not code.title.endswith(".")
    assert len(code.meaning) > 20
    assert code.hint
    # Verdicts of the audit log travel in answers that succeed: being unanchored, or signed by somebody unknown.
    assert 400 <= code.status <= 599 or (code.status == 200 and code.id.startswith("AUD"))
    assert code.exit is not ExitCode.OK or code.status == 200


def test_an_id_belongs_to_one_code_only() -> None:
    from importlib import import_module
    from pathlib import Path

    import atomctl

    root = Path(atomctl.__file__).parent
    seen: dict[str, Code] = {}
    for file in root.rglob("codes.py"):
        module = ".".join(("atomctl", *file.relative_to(root).with_suffix("").parts))
        for value in vars(import_module(module)).values():
            if isinstance(value, Code):
                assert seen.setdefault(value.id, value) is value, f"{value.id} is declared twice"


def test_an_error_keeps_its_four_fields_and_survives_a_process_boundary() -> None:
    error = AtomError(CODES["CFG001"], "port from flag --port: not a number", hint="use 8460")
    copy = pickle.loads(pickle.dumps(error))
    assert copy.to_json() == error.to_json()
    assert set(error.to_json()) == {"code", "title", "why", "hint", "docs"}
    assert str(error) == "CFG001: port from flag --port: not a number"


def test_an_error_without_its_own_hint_gives_the_codes() -> None:
    assert AtomError(CODES["CFG001"], "why").hint == CODES["CFG001"].hint
