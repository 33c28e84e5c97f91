"""The settings dialog's preview of a ladder and of what Apply will change."""

from tests.ui.settings_stage import make as make


def test_the_preview_follows_what_is_typed(make):
    setting = make()
    preview = setting.dialog.preview
    assert preview.table.texts[0] == ("DCA0", "67,240.50", "0.00029", "19.50", "67,912.91", "Placed")
    setting.type("grid.max_pyramids", "2")
    setting.type("sizing.amount", "20")
    setting.until(lambda: preview.table.texts[0][5] == "Blocked")
    assert "minimum notional" in preview.table.notes[0]
    assert any(told.text.startswith("New groups take 2 pyramids") for told in preview.told)


def test_the_preview_goes_on_while_another_field_is_wrong(make):
    setting = make()
    setting.type("sizing.amount", "200")
    setting.type("grid.min_pyramid_gap_percent", "-1")
    preview = setting.dialog.preview
    preview.refresh()
    assert preview.table.texts[0][2] == "0.00059"
    assert preview.stands_in.isVisible()
    assert preview.left_out.text() == "1 wrong field is left out."
    setting.type("sizing.amount", "100")
    preview.refresh()
    assert preview.left_out.text() == "Nothing yet: 1 field is wrong."
    setting.type("grid.min_pyramid_gap_percent", "0")
    preview.refresh()
    assert not preview.stands_in.isVisible()
    assert preview.left_out.text() == "Nothing is changed yet."


def test_the_side_pair_and_account_of_the_preview_are_chosen(make):
    setting = make(accounts=[{"name": "paper", "exchange": "paper"}, {"name": "perp", "exchange": "paper"}])
    preview = setting.dialog.preview
    assert [preview.account.itemText(row) for row in range(preview.account.count())] == ["paper", "perp"]
    preview.symbol.setCurrentText("ETH/USDT")
    preview.refresh()
    assert preview.ladder.symbol == "ETH/USDT"
    assert preview.table.texts[0][1] == "3,312.00"


def test_in_a_small_window_a_button_changes_between_page_and_preview(make):
    setting = make()
    dialog = setting.dialog
    assert dialog.preview.isVisible()
    assert not dialog.show_preview.isVisible()
    dialog.parentWidget().resize(960, 600)
    dialog.fit()
    assert dialog.current.isVisible()
    assert not dialog.preview.isVisible()
    dialog.show_preview.click()
    assert dialog.preview.isVisible()
    assert not dialog.current.isVisible()
