"""Names are found by their parts, and no word is an operator."""

from __future__ import annotations

from atomctl.knowledge.words import any_of, names_in, searchable


def test_names_are_taken_apart() -> None:
    assert searchable("ATOM_BACKUP_KEEP, bundle.json: server/worker") == "ATOM BACKUP KEEP bundle json server worker"


def test_a_name_of_several_humps_is_kept_whole_as_well() -> None:
    assert searchable("AtomVaultSealed HTTPProxy") == "AtomVaultSealed Atom Vault Sealed HTTPProxy HTTP Proxy"


def test_words_of_any_script_are_words() -> None:
    assert searchable("für: データ 42!") == "für データ 42"


def test_a_query_holds_terms_and_nothing_else() -> None:
    assert any_of(["restor", "backup"]) == "'restor' | 'backup'"
    assert any_of(["a' & !'b", "c\\"]) == "'a'' & !''b' | 'c\\\\'"


def test_names_have_capitals_or_digits_where_no_sentence_begins() -> None:
    assert names_in("How do I use Slack? Where is MySQL 8?") == ["I", "Slack", "MySQL", "8"]
    assert names_in("LDAP login: Is it there") == ["LDAP"]
    assert names_in("how is it done") == []
