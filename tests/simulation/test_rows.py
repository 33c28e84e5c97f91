"""The table of FAULTS is whole, and names nothing but tests that exist."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.simulation.rows import PENDING, ROWS

ROOT = Path(__file__).parents[2]


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            found.update(f"{node.name}::{one.name}" for one in methods)
    return frozenset(name for name in found if name.rpartition("::")[2].startswith("test_"))


def test_every_row_is_in_the_table():
    assert list(ROWS) == list(range(1, 63))
    assert [number for number, tests in ROWS.items() if not tests] == sorted(PENDING)
    assert all(PENDING.values())


@pytest.mark.parametrize("number", ROWS)
def test_what_a_row_names_exists(number: int):
    for test in ROWS[number]:
        file, _, name = test.partition("::")
        assert name in names_in(file), test


def test_every_test_named_by_a_row_is_in_that_row():
    here = Path(__file__).parent
    for file in here.glob("test_faults*.py"):
        for name in names_in(str(file.relative_to(ROOT))):
            number = int(name.removeprefix("test_row_")[:2])
            assert f"{file.relative_to(ROOT).as_posix()}::{name}" in ROWS[number], name
