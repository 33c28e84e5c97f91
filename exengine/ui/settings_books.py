"""Which pages of the settings are more than a row for each field."""

from exengine.ui.settings_lists import RoutingEditor
from exengine.ui.settings_overrides import OverridesButton
from exengine.ui.settings_page import Extra, SettingsPage, grid_page


def _routing(page: SettingsPage) -> None:
    page.add_part(RoutingEditor(page.look, page.icons, page.editing))


def _grid(page: SettingsPage) -> None:
    overrides = OverridesButton(page.look, page.icons, page.editing)
    page.parts.append(overrides)
    page.head.addWidget(overrides)
    grid_page(page)


PAGES: dict[str, Extra] = {"grid": _grid, "routing": _routing}
