"""What window and terminal say of their own where something is wrong, read from the source.

A text of the window is told as an error or a warning where it is given its colour: as the tone of the call that says
it (`self.said.say(text, "error")`), as the tone that the callee has where none is given (`Remark`, `Notice`), as the
tone that is returned beside it, or as the colour of the label that it is put into; and where a signal `failed` bears
it. The terminal's are what is printed to stderr after the program's name, and what the command line refuses. A word
that stands alone (`Full`, `Rejected`) is a state and no message; the words of an error that is caught and shown are
collected where it is made.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.docs.sources import Sources, called

TONES = {"error", "warn"}
TONE_NAMES = {"token", "tone"}
REFUSALS = {"ArgumentTypeError"}

Told = tuple[str, ast.expr, ast.AST]
"""The module, the text, and the function that it is told in."""


def shown(sources: Sources) -> Iterator[Told]:
    """All of them."""
    windows = {name: module for name, module in sources.modules.items() if name.startswith("ui/")}
    speakers = [speaker for module in windows.values() for speaker in _speakers(module)]
    for name, calls in sources.calls.items():
        for place, call, within in calls:
            if place in windows:
                text = _said(windows[place], call, [one for one in speakers if one.name == name])
            else:
                text = _at_the_terminal(name, call)
            if text is not None and not _is_word(text) and not _is_handed_on(text):
                yield place, text, within
    for place, module in windows.items():
        for function in (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                match node:
                    case ast.Return(value=ast.Tuple(elts=[text, tone])) if _is_grave(tone):
                        yield place, text, function


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A function, method or class of the window that takes a text and the tone in which it is said."""

    name: str
    owner: str
    text_place: int
    tone_place: int
    is_grave: bool
    """Whether an error is said where no tone is given."""


def _speakers(module: ast.Module) -> Iterator[Speaker]:
    for owner in _classes(module):
        for function in owner.body:
            if not isinstance(function, ast.FunctionDef):
                continue
            given = [one.arg for one in function.args.args if one.arg != "self"]
            given += [one.arg for one in function.args.kwonlyargs]
            tones = TONE_NAMES.intersection(given)
            if "text" in given and tones:
                defaults = [*function.args.defaults, *function.args.kw_defaults]
                yield Speaker(
                    name=owner.name if function.name == "__init__" else function.name,
                    owner=owner.name,
                    text_place=given.index("text"),
                    tone_place=given.index(min(tones)),
                    is_grave=any(_is_grave(one) for one in defaults),
                )


def _said(module: ast.Module, call: ast.Call, speakers: list[Speaker]) -> ast.expr | None:
    """What a call in the window says as an error or a warning."""
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    if not call.args:
        return None
    if called(call) == "emit":
        return call.args[0] if _name(receiver) == "failed" or _is_grave(call.args[-1]) else None
    if called(call) in ("setText", "say") and _name(receiver) in _coloured(module):
        return call.args[0]
    tone = next((word.value for word in call.keywords if word.arg in TONE_NAMES), None)
    for one in speakers:
        said = call.args[one.tone_place] if tone is None and one.tone_place < len(call.args) else tone
        is_told = _is_grave(said) if said is not None else one.is_grave and _may_be(module, receiver, one)
        if is_told and one.text_place < len(call.args):
            return call.args[one.text_place]
    return None


def _may_be(module: ast.Module, receiver: ast.expr | None, speaker: Speaker) -> bool:
    """Whether a call's receiver is of the speaker's class: itself, or made as one in the module."""
    if isinstance(receiver, ast.Name) and receiver.id == "self":
        return any(owner.name == speaker.owner for owner in _classes(module))
    return any(name == _name(receiver) and called(call) == speaker.owner for name, call in _assigned(module))


def _at_the_terminal(name: str, call: ast.Call) -> ast.expr | None:
    words = {word.arg: word.value for word in call.keywords}
    match name, words.get("file"):
        case "print", ast.Attribute(attr="stderr") if _leads(call.args[0]).startswith("exengine: "):
            return call.args[0]
        case "error", None if _name(call.func.value if isinstance(call.func, ast.Attribute) else None) == "parser":
            return call.args[0]
        case _, None if name in REFUSALS:
            return call.args[0]
    return None


def _leads(text: ast.expr) -> str:
    """The first words of a text; progress is told to stderr too, and without the program's name before it."""
    first = text.values[0] if isinstance(text, ast.JoinedStr) else text
    return str(first.value) if isinstance(first, ast.Constant) else ""


def _classes(module: ast.Module) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.ClassDef))


def _is_grave(tone: ast.expr | None) -> bool:
    """Whether a tone is an error's or a warning's, or may be."""
    return tone is not None and any(isinstance(one, ast.Constant) and one.value in TONES for one in ast.walk(tone))


def _name(node: ast.expr | None) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


@cache
def _assigned(module: ast.Module) -> tuple[tuple[str, ast.Call], ...]:
    """What is made by a call and kept under a name."""
    found = []
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                pairs = list(zip(targets, values, strict=True))
            case ast.Assign(targets=[target], value=value):
                pairs = [(target, value)]
            case _:
                continue
        found += [(_name(target), value) for target, value in pairs if isinstance(value, ast.Call)]
    return tuple(found)


@cache
def _coloured(module: ast.Module) -> set[str]:
    """The labels of an error's colour."""
    return {
        name
        for name, call in _assigned(module)
        if any(word.arg in TONE_NAMES and _is_grave(word.value) for word in call.keywords)
    } - {""}


def _is_word(text: ast.expr) -> bool:
    return isinstance(text, ast.Constant) and " " not in str(text.value).strip()


def _is_handed_on(text: ast.expr) -> bool:
    """Whether all of it is what an error or a setting's problem says: `str(error)`, `error.brief`, `message(error)`."""
    match text:
        case ast.Constant(value=""):
            return True
        case ast.IfExp(body=one, orelse=other):
            return _is_handed_on(one) and _is_handed_on(other)
        case ast.BoolOp(values=choices):
            return all(map(_is_handed_on, choices))
        case ast.Call(func=ast.Name(id="sentence"), args=[inner]):
            return _is_handed_on(inner)
        case ast.Call(func=ast.Name(id="str" | "message"), args=[ast.Name()]):
            return True
        case ast.JoinedStr(values=[ast.Constant(value="exengine: "), ast.FormattedValue(value=ast.Name(id="error"))]):
            return True
    return isinstance(text, ast.Attribute) and text.attr in ("brief", "message")
