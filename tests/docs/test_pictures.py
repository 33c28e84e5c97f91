"""Every picture that a page shows is one that `dev.py docs` makes, and each of them is shown."""

import re

from tests.docs.blocks import HELP, ROOT, pages
from tests.docs.made import SHOTS, WORKED
from tests.docs.pictures import DRAWN

PICTURES = HELP / "pictures"
MOST_BYTES = 200_000
"""They travel with the program."""


def test_every_picture_is_made_and_shown():
    made = {f"{name}.svg" for name in DRAWN} | {f"{name}.png" for name in (*SHOTS, *WORKED)}
    shown = {name for page in pages() for name in re.findall(r"!\[[^\]]+\]\([^)]*pictures/([^)]+)\)", page.read_text())}
    assert shown == made == {path.name for path in PICTURES.iterdir()}


def test_a_picture_is_where_the_page_says_and_not_too_large():
    for page in pages():
        for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text()):
            file = (ROOT if page.parent == ROOT else HELP) / path
            assert 0 < file.stat().st_size < MOST_BYTES, f"{page.name}: {path}"
