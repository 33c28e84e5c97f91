"""The look of the program: tokens.json turned into colours, fonts, a palette over Fusion and a small style sheet."""

import json
import math
import sys
from enum import Enum
from functools import cached_property
from string import Template
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication

from exengine.assets import asset

TABULAR = QFont.Tag("tnum")
FLASH_SHARE = 0.15
"""How much of the PnL colour a flash has where the palette is not the one that the flash tokens were mixed from."""


class Scheme(Enum):
    """What the trader chose; SYSTEM follows the desktop, and is dark where that says nothing."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Role(Enum):
    """What a text is, which decides its size."""

    BODY = "body_px"
    SMALL = "small_px"
    VALUE = "value_px"
    FIGURE = "figure_px"
    HEADING = "heading_px"
    PILL = "pill_px"


class Weight(Enum):
    NORMAL = "normal"
    MEDIUM = "medium"
    STRONG = "strong"


class Tokens:
    """tokens.json: the only place where a colour or a size is written."""

    def __init__(self) -> None:
        self._read: dict[str, Any] = json.loads(asset("tokens.json").read_text(encoding="utf-8"))

    @property
    def pnl_palettes(self) -> tuple[str, ...]:
        return tuple(self._read["pnl_palettes"])

    def metric(self, name: str) -> Any:
        return self._read["metrics"][name]

    def type(self, name: str) -> Any:
        return self._read["type"][name]

    def colors(self, theme: str, pnl_palette: str) -> dict[str, QColor]:
        """All colours of a theme by token, with the PnL palette's profit and loss."""
        colors = {}
        for token, value in self._read["themes"][theme].items():
            if isinstance(value, dict):
                colors[token] = QColor(value["color"])
                colors[token].setAlphaF(value["alpha"])
            else:
                colors[token] = QColor(value)
        palettes = self._read["pnl_palettes"]
        if pnl_palette != next(iter(palettes)):
            pair = palettes[pnl_palette][theme]
            colors["profit"], colors["loss"] = QColor(pair["profit"]), QColor(pair["loss"])
            colors["flash_up"] = mixed(colors["profit"], colors["surface"], FLASH_SHARE)
            colors["flash_down"] = mixed(colors["loss"], colors["surface"], FLASH_SHARE)
        return colors


def mixed(color: QColor, ground: QColor, share: float) -> QColor:
    """`color` at `share` over `ground`, opaque."""
    return QColor(
        round(color.red() * share + ground.red() * (1 - share)),
        round(color.green() * share + ground.green() * (1 - share)),
        round(color.blue() * share + ground.blue() * (1 - share)),
    )


class Look(QObject):
    """The look in force. Widgets that paint themselves ask it at each paint; `changed` tells them to paint again."""

    changed = Signal()

    def __init__(
        self,
        app: QApplication,
        *,
        scheme: Scheme = Scheme.SYSTEM,
        pnl_palette: str = "green/red",
        font_size: int = 10,
        reduced_motion: bool = False,
    ) -> None:
        super().__init__()
        self.tokens = Tokens()
        self.scheme = scheme
        self.pnl_palette = pnl_palette
        self.font_size = font_size
        self.reduced_motion = reduced_motion
        self._app = app
        self._colors: dict[str, QColor] = {}
        self._fonts: dict[tuple[Role, Weight], QFont] = {}
        self._line_heights: dict[Role, float] = {}
        self._heights: dict[tuple[str, Role], int] = {}
        app.styleHints().colorSchemeChanged.connect(self._on_system_changed)
        self.apply()

    @property
    def is_dark(self) -> bool:
        if self.scheme is Scheme.SYSTEM:
            return self._app.styleHints().colorScheme() is not Qt.ColorScheme.Light
        return self.scheme is Scheme.DARK

    def choose(
        self,
        *,
        scheme: Scheme | None = None,
        pnl_palette: str | None = None,
        font_size: int | None = None,
        reduced_motion: bool | None = None,
    ) -> None:
        """Takes the trader's choice and puts it on all windows at once."""
        self.scheme = self.scheme if scheme is None else scheme
        self.pnl_palette = self.pnl_palette if pnl_palette is None else pnl_palette
        self.font_size = self.font_size if font_size is None else font_size
        self.reduced_motion = self.reduced_motion if reduced_motion is None else reduced_motion
        self.apply()

    def apply(self) -> None:
        self._colors = self.tokens.colors("dark" if self.is_dark else "light", self.pnl_palette)
        for kept in (self._fonts, self._line_heights, self._heights):
            kept.clear()
        self._app.setFont(self.font())
        self._app.setPalette(self._palette())
        self._app.setStyleSheet(self._style_sheet())
        self.changed.emit()

    def _on_system_changed(self) -> None:
        if self.scheme is Scheme.SYSTEM:
            self.apply()

    # Colours

    def color(self, token: str) -> QColor:
        return self._colors[token]

    def hex(self, token: str) -> str:
        """The colour as rich text and SVG write it."""
        return self._colors[token].name()

    # Sizes and fonts

    def metric(self, name: str) -> int:
        """A size that does not follow the font."""
        return int(self.tokens.metric(name))

    def scaled(self, px: float) -> int:
        """A size that follows the font."""
        return round(px * self.font_size / self.tokens.type("default_size"))

    def grown(self, px: int) -> int:
        """A size that grows with the font and never shrinks: icons, slots, indents."""
        return max(px, self.scaled(px))

    def row_height(self) -> int:
        """Rows grow with the font: line height + 8, never below the token."""
        return max(self.metric("row"), math.ceil(self.line_height() + 8))

    def line_height(self, role: Role = Role.BODY) -> float:
        if role not in self._line_heights:
            self._line_heights[role] = QFontMetricsF(self.font(role)).height()
        return self._line_heights[role]

    def tall(self, name: str, role: Role = Role.BODY) -> int:
        """The token's height, or more where the font has outgrown it."""
        key = (name, role)
        if key not in self._heights:
            room = self.metric(name) - self.tokens.type(role.value) * 1.25
            self._heights[key] = max(self.metric(name), math.ceil(self.line_height(role) + room * 0.6))
        return self._heights[key]

    def font(self, role: Role = Role.BODY, weight: Weight = Weight.NORMAL) -> QFont:
        key = (role, weight)
        if key not in self._fonts:
            font = QFont(self._app.font())
            if self._families:
                font.setFamilies(self._families)
            font.setPixelSize(max(1, self.scaled(self.tokens.type(role.value))))
            font.setWeight(QFont.Weight(self.tokens.type("weights")[weight.value]))
            font.setFeature(TABULAR, 1)
            self._fonts[key] = font
        return self._fonts[key]

    def code_font(self) -> QFont:
        font = QFont(self.font())
        known = set(QFontDatabase.families())
        families = [family for family in self.tokens.type("code_families") if family in known]
        font.setFamilies([*families, "monospace"])
        font.setStyleHint(QFont.StyleHint.Monospace)
        return font

    @cached_property
    def _families(self) -> list[str]:
        """Those of the platform's families that are there; none means the system's own font."""
        known = set(QFontDatabase.families())
        named = self.tokens.type("families").get(sys.platform, self.tokens.type("families")["linux"])
        return [family for family in named if family in known]

    # Widgets

    def _palette(self) -> QPalette:
        roles = QPalette.ColorRole
        palette = QPalette()
        for token, targets in {
            "surface": (roles.Window, roles.Base, roles.AlternateBase),
            "raised": (roles.Button, roles.ToolTipBase, roles.Midlight),
            "text": (roles.WindowText, roles.Text, roles.ButtonText, roles.ToolTipText, roles.HighlightedText),
            "muted": (roles.PlaceholderText, roles.BrightText),
            "selected": (roles.Highlight,),
            "accent": (roles.Link, roles.LinkVisited, roles.Accent),
            "line": (roles.Mid, roles.Light),
            "line_strong": (roles.Dark,),
            "title": (roles.Shadow,),
        }.items():
            for target in targets:
                palette.setColor(target, self.color(token))
        for target in (roles.WindowText, roles.Text, roles.ButtonText, roles.PlaceholderText, roles.HighlightedText):
            palette.setColor(QPalette.ColorGroup.Disabled, target, self.color("disabled"))
        return palette

    def _style_sheet(self) -> str:
        values: dict[str, object] = {token: self.hex(token) for token in self._colors}
        for role in Role:
            values[role.value] = self.scaled(self.tokens.type(role.value))
        for name in ("radius", "radius_field", "focus_ring", "grid"):
            values[name] = self.metric(name)
        for name in ("button", "button_small", "field", "dock_title"):
            # A style sheet's heights are those inside the border: 1 px a side, 2 px with the focus.
            values[name] = self.tall(name) - 2
            values[name + "_focused"] = self.tall(name) - 2 * self.metric("focus_ring")
        values["strong"] = self.tokens.type("weights")["strong"]
        values["medium"] = self.tokens.type("weights")["medium"]
        return Template(asset("style.qss").read_text(encoding="utf-8")).substitute(values)
