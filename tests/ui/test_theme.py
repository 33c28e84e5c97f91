"""Colours come from the tokens alone, can be read on every ground, and follow the trader's choice at once."""

import json
import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QLineEdit

from exengine.assets import asset
from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Role, Scheme, Tokens, Weight

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ("text", "muted", "accent", "profit", "loss", "warn", "error", "risk", "info", "success")
GROUNDS = ("surface", "raised", "hover", "selected")
THEMES = ("dark", "light")
PALETTES = Tokens().pnl_palettes


def luminance(color: QColor) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("palette", PALETTES)
def test_every_text_can_be_read_on_every_ground(theme, palette):
    colors = Tokens().colors(theme, palette)
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS]
    pairs += [("profit", "flash_up"), ("loss", "flash_down"), ("text", "flash_up"), ("text", "flash_down")]
    pairs += [("error", "error_bg"), ("text", "error_bg"), ("muted", "error_bg"), ("live_text", "live_bg")]
    pairs += [("on_accent", "accent"), ("on_live", "live"), ("on_danger", "danger")]
    poor = {pair: round(contrast(colors[pair[0]], colors[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.45} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_both_themes_have_the_same_tokens(theme):
    read = json.loads(asset("tokens.json").read_text(encoding="utf-8"))["themes"]
    assert read[theme].keys() == read["dark"].keys()


def test_no_colour_is_written_outside_the_tokens():
    files = [*ROOT.glob("exengine/ui/**/*.py"), *ROOT.glob("resources/**/*.qss"), *ROOT.glob("resources/**/*.svg")]
    # The help's drawings have colours so that a repository shows them; the window puts its own in their places.
    files = [file for file in files if file.parent != ROOT / "resources" / "help" / "pictures"]
    written = re.compile(
        r"#[0-9A-Fa-f]{6}\b|#[0-9A-Fa-f]{3}\b|\brgba?\(\d|QColor\(\s*[\d\"']|GlobalColor\.(?!transparent)"
    )
    found = {str(file): written.findall(file.read_text(encoding="utf-8")) for file in files}
    assert {file: colours for file, colours in found.items() if colours} == {}


@pytest.mark.parametrize("scheme", [Scheme.DARK, Scheme.LIGHT])
@pytest.mark.parametrize("marks", [{}, {"changed": True}, {"small": True}])
def test_what_an_empty_field_says_can_be_read(look, qtbot, scheme, marks):
    look.choose(scheme=scheme, font_size=20)
    field = QLineEdit()
    qtbot.addWidget(field)
    for name, value in marks.items():
        field.setProperty(name, value)
    field.setPlaceholderText("█" * 4)
    field.resize(200, field.sizeHint().height())
    image = field.grab().toImage()
    ground = image.pixelColor(180, image.height() // 2)
    said = max(contrast(image.pixelColor(x, image.height() // 2), ground) for x in range(10, 60))
    look.choose(scheme=Scheme.DARK, font_size=10)
    assert said >= 4.5


def test_the_palette_of_the_trader_replaces_profit_and_loss_only():
    usual, other = (Tokens().colors("dark", palette) for palette in ("green/red", "blue/orange"))
    changed = {token for token in usual if usual[token] != other[token]}
    assert changed == {"profit", "loss", "flash_up", "flash_down"}


def test_a_choice_is_put_on_all_widgets_at_once(look, qapp, qtbot):
    with qtbot.waitSignal(look.changed):
        look.choose(scheme=Scheme.LIGHT)
    light = qapp.palette().color(QPalette.ColorRole.Base)
    look.choose(scheme=Scheme.DARK)
    assert light == Tokens().colors("light", "green/red")["surface"]
    assert qapp.palette().color(QPalette.ColorRole.Base) == look.color("surface")


def test_the_system_s_scheme_is_followed_and_is_dark_where_it_says_nothing(qapp):
    assert Look(qapp, scheme=Scheme.SYSTEM).is_dark


@pytest.mark.parametrize("size", [8, 10, 14, 20])
def test_rows_grow_with_the_font_and_never_shrink_below_the_token(qapp, size):
    look = Look(qapp, scheme=Scheme.DARK, font_size=size)
    assert look.row_height() >= max(24, look.line_height() + 8)
    assert look.font(Role.BODY).pixelSize() == round(12 * size / 10)


def test_figures_are_tabular(look):
    font = look.font(Role.VALUE, Weight.STRONG)
    assert [bytes(tag.toString()).decode() for tag in font.featureTags()] == ["tnum"]


def test_every_icon_is_drawn_and_tinted(look):
    icons = Icons(look)
    for file in (ROOT / "resources" / "icons").glob("*.svg"):
        name = file.stem
        source = file.read_text(encoding="utf-8")
        assert 'viewBox="0 0 16 16"' in source, name
        assert 'stroke-width="1.5"' in source, name
        image: QImage = icons.pixmap(name, "error", 32, 1.0).toImage()
        seen = {
            image.pixelColor(x, y).name() for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() > 250
        }
        assert look.color("error").name() in seen, name


def test_every_icon_that_is_named_exists():
    known = {file.stem for file in (ROOT / "resources" / "icons").glob("*.svg")}
    named = set()
    for file in ROOT.glob("exengine/ui/*.py"):
        text = file.read_text(encoding="utf-8")
        named |= set(re.findall(r'(?:icon|pixmap|button_icon)\(\s*"([a-z-]+)"', text))
        named |= set(re.findall(r'IconButton\(icons, "([a-z-]+)"', text))
    assert named <= known
    assert {"panic", "clock", "copy", "columns"} <= known
