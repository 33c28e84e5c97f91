"""Every message with which the program tells of something wrong, read from its source.

A message is the text of an error for the trader (`UserError` and what is derived of it), of a failure of the
environment or a refusal that is shown as it stands, of each line of the log that is an error or a warning, and what
window and terminal say of their own (see `shown`). What stands in an f-string's braces becomes `…`, so that a message
here is a template: "The port … is in use."
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.docs.shown import shown
from tests.docs.sources import Sources, called

ERRORS = {
    "UserError",
    "KnownError",
    "Refused",
    "Doubtful",
    "WrongInput",
    "NotDelivered",
    "BodyError",
    "NotJson",
    "StoreFailed",
}
"""With all classes that are derived from them."""
FIELDS = {"FieldError": "domain/signal.py", "fault": "settings/fields.py", "_not_reached": "webhook/public.py"}
"""What is wrong with a field of an alert, a setting or the public address, and where that is made."""
HANDS_ON = {"scrubbed", "sentence", "message"}
"""What takes secrets out of a text, or gives it a full stop, and changes nothing else of it."""
MOST_VARIANTS = 6
"""Of one message: beyond them what may stand in its gap is a message of its own."""
CODED = {"Refused"}
"""Their first argument is a code for the engine, the second the text."""
NOTES = {"note", "_note", "Note"}
LOUD = {"ERROR", "WARNING"}
GAP = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One template and the place that shows it."""

    text: str
    where: str


def messages(sources: Sources) -> tuple[Message, ...]:
    """All of them. Where the source only passes on what was said elsewhere, the text has no word of its own."""
    found: dict[tuple[str, str], Message] = {}
    for name, text, within in (*_telling(sources), *shown(sources)):
        for template in _templates(sources, text, within, 3) if text is not None else ():
            where = f"{name}:{getattr(within, 'name', '')}"
            said = tidy(template)
            if not said:  # nothing is wrong any more
                continue
            found.setdefault((said, where), Message(text=said, where=where))
    return tuple(found.values())


def setting_words(sources: Sources) -> set[str]:
    """What is said of a setting that pydantic itself refuses."""
    (table,) = (
        node.value
        for node in sources.modules["settings/problems.py"].body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "_WORDS"
    )
    assert isinstance(table, ast.Dict)
    texts = {str(one.value) for one in table.values if isinstance(one, ast.Constant)} - {"{text}"}
    return {re.sub(r"(?<!\{)\{\w+\}", GAP, text).replace("{{", "{").replace("}}", "}") for text in texts}


def has_words(message: Message) -> bool:
    """Whether a message says something itself, and does not only hand on what an error or an exchange has said."""
    return any(letter.isalpha() for letter in message.text)


def tidy(text: str) -> str:
    """The template as a person writes it: no blanks twice, gaps beside each other one, no full stop at its end."""
    words = " ".join(text.split())
    while "……" in words or "… …" in words:
        words = words.replace("……", GAP).replace("… …", GAP)
    return words.removeprefix("exengine: ").rstrip(".:").strip()


def error_classes(sources: Sources) -> set[str]:
    names = set(ERRORS)
    classes = [
        node for module in sources.modules.values() for node in ast.walk(module) if isinstance(node, ast.ClassDef)
    ]
    while (
        more := {one.name for one in classes for base in one.bases if isinstance(base, ast.Name) and base.id in names}
        - names
    ):
        names |= more
    return names


def _telling(sources: Sources) -> Iterator[tuple[str, ast.expr | None, ast.AST]]:
    """The module, the text that is told, and the function in which."""
    for place, call, within in _telling_calls(sources):
        yield place, _text_of(call), within


def _telling_calls(sources: Sources) -> Iterator[tuple[str, ast.Call, ast.AST]]:
    for name in sorted(error_classes(sources)):
        yield from sources.calls.get(name, ())
    for name, home in FIELDS.items():
        for place, call, within in sources.calls.get(name, ()):
            if place == home or _imports(sources, place, name, home):
                yield place, call, within
    for name in sorted(NOTES):
        for place, call, within in sources.calls.get(name, ()):
            if any(_is_loud(one) for one in (*call.args[:2], *(word.value for word in call.keywords))):
                yield place, call, within


def _is_loud(node: ast.expr) -> bool:
    return any(
        isinstance(one, ast.Attribute) and one.attr in LOUD and isinstance(one.value, ast.Name)
        and one.value.id == "Severity"
        for one in ast.walk(node)
    )  # fmt: skip


def _text_of(call: ast.Call) -> ast.expr | None:
    for word in call.keywords:
        if word.arg in ("text", "happened", "message"):
            return word.value
    place = 2 if called(call) in NOTES else 1 if called(call) in CODED else 0
    return call.args[place] if len(call.args) > place else None


def _templates(sources: Sources, node: ast.expr, within: ast.AST, depth: int) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            told, apart = [""], []
            for part in parts:
                more = [part.value] if isinstance(part, ast.Constant) else list(_inside(sources, part, within, depth))
                if len(told) * len(more) > MOST_VARIANTS:
                    apart += [one for one in more if one != GAP]
                    more = [GAP]
                told = [one + str(other) for one in told for other in more]
            yield from (*told, *apart)
        case ast.IfExp(body=one, orelse=other):
            yield from _templates(sources, one, within, depth)
            yield from _templates(sources, other, within, depth)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            for one in _templates(sources, left, within, depth):
                for other in _templates(sources, right, within, depth):
                    yield one + other
        case ast.BoolOp(op=ast.Or(), values=choices):
            for one in choices:
                yield from _templates(sources, one, within, depth)
        case ast.Call(func=ast.Attribute(value=inner, attr="strip"), args=[]):
            yield from _templates(sources, inner, within, depth)
        case ast.Name(id=name) if depth:
            yield from _named(sources, name, within, depth - 1)
        case ast.Call(args=[inner]) if called(node) in HANDS_ON:
            yield from _templates(sources, inner, within, depth)
        case ast.Call() if depth and len(made := sources.functions.get(called(node), ())) == 1:
            yield from _returned(sources, made[0][1], depth - 1)
        case _:
            yield GAP


def _returned(sources: Sources, made: ast.FunctionDef | ast.AsyncFunctionDef, depth: int) -> Iterator[str]:
    """What a function of the program's may answer, where that is text."""
    is_text = isinstance(made.returns, ast.Name) and made.returns.id == "str"
    answers = [node.value for node in ast.walk(made) if isinstance(node, ast.Return) and node.value is not None]
    if not is_text or not answers:
        yield GAP
        return
    for answer in answers:
        if not (isinstance(answer, ast.Constant) and answer.value == ""):
            yield from _templates(sources, answer, made, depth)


def _inside(sources: Sources, part: ast.expr, within: ast.AST, depth: int) -> Iterator[str]:
    """What may stand in the braces of an f-string: a choice between texts as they are, else a gap."""
    value = part.value if isinstance(part, ast.FormattedValue) else part
    told = list(dict.fromkeys(_templates(sources, value, within, depth)))
    if isinstance(value, ast.IfExp):
        yield from told
    else:
        words = [one for one in told if " " in one.replace(GAP, "").strip()]
        yield from (*words, *([""] if "" in told else []))
        if len(words) < len(told) - ("" in told):
            yield GAP


def _named(sources: Sources, name: str, within: ast.AST, depth: int) -> Iterator[str]:
    """What a name stands for: assigned in the function, handed to it by its callers, or a constant."""
    if assigned := [value for target, value in _assignments(within) if target == name]:
        for value in assigned:
            yield from _templates(sources, value, within, depth)
    elif isinstance(within, ast.FunctionDef | ast.AsyncFunctionDef) and name in (given := _parameters(within)):
        told = False
        for call, outer in _calls_of(sources, within):
            value = next((word.value for word in call.keywords if word.arg == name), None)
            place = given.index(name) - (given[0] in ("self", "cls"))
            if value is None and 0 <= place < len(call.args):
                value = call.args[place]
            if value is not None:
                told = True
                yield from _templates(sources, value, outer, depth)
        if not told:
            yield GAP
    elif name in sources.constants:
        yield from _templates(sources, sources.constants[name], within, depth)
    else:
        yield GAP


def _calls_of(sources: Sources, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[ast.Call, ast.AST]]:
    """Those in its own module, where it is imported, and of its name as a method where no other one is called so."""
    made = sources.functions[function.name]
    (home,) = {name for name, one in made if one is function}
    for name, call, outer in sources.calls.get(function.name, ()):
        is_method = isinstance(call.func, ast.Attribute)
        is_ours = len(made) == 1 if is_method else _imports(sources, name, function.name, home)
        if name == home or is_ours:
            yield call, outer


def _imports(sources: Sources, module: str, name: str, home: str) -> bool:
    wanted = "exengine." + home.removesuffix(".py").replace("/", ".")
    return (module, wanted, name) in sources.imports


def _assignments(within: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(within):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                yield from (
                    (one.id, value) for one, value in zip(names, values, strict=True) if isinstance(one, ast.Name)
                )
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
