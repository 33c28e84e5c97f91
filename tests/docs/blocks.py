"""The fenced blocks of the documents: README.md and the pages of the help."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HELP = ROOT / "resources" / "help"
FENCE = re.compile(r"^(?P<indent> *)```(?P<tag>\w*)(?: (?P<file>\S+))?\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    tag: str
    file: str
    """The name of the file that it is, where one stands behind the tag."""
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.tag}"


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted(HELP.glob("*.md"))]


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        indent = found["indent"]
        inner = "".join(line.removeprefix(indent) for line in found["text"].splitlines(keepends=True))
        yield Block(
            page=page.name,
            line=text.count("\n", 0, found.start()) + 1,
            tag=found["tag"],
            file=found["file"] or "",
            text=inner,
        )


def outside(page: Path) -> str:
    """The page without its blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))
