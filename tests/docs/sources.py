"""The program's source, read: its modules, and who defines, calls and imports what."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent / "exengine"


@dataclass(slots=True)
class Sources:
    """The program's modules, read."""

    modules: dict[str, ast.Module] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]] = field(default_factory=dict)
    calls: dict[str, list[tuple[str, ast.Call, ast.AST]]] = field(default_factory=dict)
    """By the name that is called: the module, the call, and the function that it stands in."""
    imports: set[tuple[str, str, str]] = field(default_factory=set)
    """The module, where from, and which name."""


def read_sources(folder: Path = SOURCE) -> Sources:
    found = Sources()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        found.modules[name] = ast.parse(path.read_text(encoding="utf-8"))
        for node in found.modules[name].body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found.constants[node.targets[0].id] = node.value
        _walk(found, name, found.modules[name], found.modules[name])
    return found


def _walk(found: Sources, name: str, node: ast.AST, within: ast.AST) -> None:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            found.functions.setdefault(inner.name, []).append((name, inner))
        if isinstance(inner, ast.ImportFrom):
            found.imports |= {(name, inner.module or "", one.name) for one in inner.names}
        if isinstance(inner, ast.Call):
            found.calls.setdefault(called(inner), []).append((name, inner, within))
        _walk(found, name, inner, inner if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) else within)


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call() as inner:  # self._note()(…)
            return called(inner)
    return ""
