"""The help: a window of its own beside the program's, with a list of pages, a search and back and forward."""

import re
from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, QUrl
from PySide6.QtGui import (
    QFontMetricsF,
    QKeySequence,
    QPainter,
    QShortcut,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextFrameFormat,
    QTextTable,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from exengine.ui.actions import Registry
from exengine.ui.help_browser import MARGIN, HelpBrowser
from exengine.ui.help_text import PAGES, SECTIONS, Facts, text_of
from exengine.ui.icons import Icons
from exengine.ui.pieces import Ground, Hairline, IconButton, Label
from exengine.ui.setup import Setup
from exengine.ui.theme import Look, Role, Weight

LIST_WIDTH = 200
PAGE_WIDTH = 760
LINE_PERCENT = 130
"""Of a line's own height."""
FIRST = next(iter(PAGES))
CODE_PADDING, CODE_HANGS = 8, 20
SECTION_GAP = 4
NO_BREAK = "\u00a0"
_NAME = Qt.ItemDataRole.UserRole


class _Delegate(QStyledItemDelegate):
    """Keeps the name of a part a little off the page below it, which may be the chosen one."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        if index.data(_NAME) is None:
            option.rect.adjust(0, 0, 0, -SECTION_GAP)
        super().paint(painter, option, index)


class HelpWindow(QWidget):
    """Stays open beside the program. Links of a page lead to others, do an action, or show the token."""

    def __init__(
        self, look: Look, icons: Icons, registry: Registry, setup: Callable[[], Setup], parent: QWidget
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._look, self._icons, self._registry, self._setup = look, icons, registry, setup
        self._show_token = False
        self._page = ""
        self._back: list[str] = []
        self._forward: list[str] = []
        self.setObjectName("help_window")
        self.setWindowTitle("ExEngine help")
        self.setWindowIcon(icons.icon("app", "accent"))
        self.resize(look.scaled(LIST_WIDTH + PAGE_WIDTH + 60), look.scaled(720))
        self.back = IconButton(icons, "chevron-left", "Back")
        self.forward = IconButton(icons, "chevron-right", "Forward")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search the help")
        self.search.setAccessibleName("Search the help")
        self.search.setClearButtonEnabled(True)
        self.found = Label(look, token="muted")
        self.pages = QListWidget()
        self.pages.setObjectName("help_pages")
        self.pages.setAccessibleName("Pages of the help")
        self.pages.setItemDelegate(_Delegate(self.pages))
        self.text = HelpBrowser(look)
        self._lay_out()
        self._connect()
        self._fill_list()
        self._note_history()

    def _lay_out(self) -> None:
        bar = Ground(self._look, "raised")
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 6, 12, 6)
        row.setSpacing(4)
        for widget in (self.back, self.forward):
            row.addWidget(widget)
        row.addSpacing(8)
        self.search.setMaximumWidth(self._look.scaled(320))
        row.addWidget(self.search, 1)
        row.addSpacing(8)
        row.addWidget(self.found)
        row.addStretch(1)
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self.pages)
        body.addWidget(Hairline(self._look, vertical=True))
        body.addWidget(self.text, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(Hairline(self._look))
        column.addLayout(body, 1)

    def _connect(self) -> None:
        self.back.clicked.connect(self.go_back)
        self.forward.clicked.connect(self.go_forward)
        self.search.textChanged.connect(self._on_search)
        self.search.returnPressed.connect(self._on_next)
        self.pages.currentItemChanged.connect(self._on_chosen)
        self.text.anchorClicked.connect(self._on_link)
        self.text.width_changed.connect(self._on_width_changed)
        self._look.changed.connect(self._on_look_changed)
        for keys, call in (
            ("Esc", self.close),
            ("Alt+Left", self.go_back),
            ("Alt+Right", self.go_forward),
            ("Ctrl+F", self.search.setFocus),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(call)

    # Pages

    def open_at(self, name: str) -> None:
        """Comes to the front with a page."""
        self.show_page(name)
        self.show()
        self.raise_()
        self.activateWindow()
        self.text.setFocus()

    def show_page(self, name: str) -> None:
        """Goes to a page, and remembers the one before. Raises KeyError for an unknown one."""
        if name == self._page:
            return
        if self._page:
            self._back.append(self._page)
            self._forward.clear()
        self._turn_to(name)

    @property
    def page(self) -> str:
        return self._page

    def go_back(self) -> None:
        if self._back:
            self._forward.append(self._page)
            self._turn_to(self._back.pop())

    def go_forward(self) -> None:
        if self._forward:
            self._back.append(self._page)
            self._turn_to(self._forward.pop())

    def refresh(self) -> None:
        """Fills the page in anew: address or keys have changed."""
        if self._page:
            place = self.text.verticalScrollBar().value()
            self._turn_to(self._page)
            self.text.verticalScrollBar().setValue(place)

    def _markdown(self, name: str) -> str:
        return text_of(name, Facts(setup=self._setup(), show_token=self._show_token), self._registry)

    def _turn_to(self, name: str) -> None:
        self._page = name
        self._style()
        self.text.set_page(self._markdown(name))
        self._dress()
        for place in range(self.pages.count()):
            if self.pages.item(place).data(_NAME) == name:
                self.pages.blockSignals(True)
                self.pages.setCurrentRow(place)
                self.pages.blockSignals(False)
        self._mark()
        self._note_history()

    def _note_history(self) -> None:
        self.back.setEnabled(bool(self._back))
        self.forward.setEnabled(bool(self._forward))

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.show_page(str(item.data(_NAME)))

    def _on_link(self, url: QUrl) -> None:
        page, _, heading = url.toString().partition("#")
        if page in ("", f"{self._page}.md") or page.removesuffix(".md") in PAGES:
            self.show_page(page.removesuffix(".md") or self._page)
            self._go_to_heading(heading)
            return
        what, _, which = page.partition(":")
        match what:
            case "do":
                self._registry.run(which)
            case "show":
                self._show_token = not self._show_token
                self.refresh()

    def _go_to_heading(self, wanted: str) -> None:
        """Shows the heading that a link's `#…` names, at the top; the page's beginning where it names none."""
        block = self.text.document().begin()
        while wanted and block.isValid():
            if block.blockFormat().headingLevel() and anchor(block.text()) == wanted:
                top = self.text.document().documentLayout().blockBoundingRect(block).top()
                self.text.verticalScrollBar().setValue(int(top))
                return
            block = block.next()

    # Search

    def _fill_list(self, names: list[str] | None = None) -> None:
        """All pages below the names of their parts, or those that a search has found."""
        self.pages.blockSignals(True)
        self.pages.clear()
        for title, section in SECTIONS.items():
            if names is None:
                self._add_section(title)
            for name in section if names is None else [one for one in names if one in section]:
                self._add_page(name)
        self.pages.blockSignals(False)

    def _add_section(self, title: str) -> None:
        item = QListWidgetItem(title)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setForeground(self._look.color("muted"))
        item.setFont(self._look.font(Role.SMALL, Weight.STRONG))
        self.pages.addItem(item)
        self._size(item)

    def _add_page(self, name: str) -> None:
        item = QListWidgetItem(PAGES[name])
        item.setData(_NAME, name)
        self.pages.addItem(item)
        self._size(item)
        if name == self._page:
            self.pages.setCurrentItem(item)

    def _size(self, item: QListWidgetItem) -> None:
        is_page = item.data(_NAME) is not None
        item.setSizeHint(QSize(0, self._look.row_height() + (4 if is_page else 8 + SECTION_GAP)))
        if not is_page:
            item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)

    def _on_search(self, wanted: str) -> None:
        """Leaves the pages that have all the words, and marks them in the one that is shown."""
        words = [word.lower() for word in self._wanted]
        if not words:
            self._fill_list()
            self.found.setText("")
            self._mark()
            return
        texts = {name: f"{PAGES[name]} {plain(self._markdown(name))}".lower() for name in PAGES}
        names = [name for name, text in texts.items() if all(word in text for word in words)]
        # Where the title says it, the page is about it.
        names.sort(key=lambda name: not all(word in PAGES[name].lower() for word in words))
        self._fill_list(names)
        count = len(names)
        self.found.setText("Nothing found" if not count else f"On {count} page{'' if count == 1 else 's'}")
        if names and self._page not in names:
            self.show_page(names[0])
        self._mark()

    @property
    def _wanted(self) -> list[str]:
        """The words that are searched for, with the apostrophe of the pages."""
        return self.search.text().replace("'", "’").split()

    def _on_next(self) -> None:
        """Goes to the next place of the word, from the top again after the last."""
        words = self._wanted
        if words and not self.text.find(words[0]):
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            self.text.find(words[0])

    def _mark(self) -> None:
        marks = []
        form = QTextCharFormat()
        form.setBackground(self._look.color("warn_bg"))
        for word in self._wanted:
            cursor = self.text.document().find(word)
            while not cursor.isNull():
                mark = QTextEdit.ExtraSelection()
                mark.cursor, mark.format = cursor, form
                marks.append(mark)
                cursor = self.text.document().find(word, cursor)
        self.text.setExtraSelections(marks)

    # Looks

    def _style(self) -> None:
        self.text.setFont(self._look.font())
        self.text.document().setDefaultFont(self._look.font())
        self.text.document().setDocumentMargin(self._look.scaled(MARGIN))
        self.pages.setFixedWidth(self._look.scaled(LIST_WIDTH))

    def _dress(self) -> None:
        """Gives headings, paragraphs, code and tables the look's sizes and lines: Markdown knows nothing of them."""
        self.text.document().setUndoRedoEnabled(False)
        self._frame_code()
        block = self.text.document().begin()
        while block.isValid():
            self._dress_block(block)
            block = block.next()
        for frame in self.text.document().rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                form = frame.format().toTableFormat()
                form.setBorder(1)
                form.setBorderBrush(self._look.color("line"))
                form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
                form.setBorderCollapse(True)
                form.setCellPadding(self._look.scaled(5))
                form.setTopMargin(self._look.scaled(4))
                form.setBottomMargin(self._look.scaled(10))
                frame.setFormat(form)
                _align_heads(frame)
        self.text.moveCursor(QTextCursor.MoveOperation.Start)

    def _frame_code(self) -> None:
        """Puts each piece of code onto a ground of its own, with room around it."""
        form = QTextFrameFormat()
        form.setBackground(self._look.color("raised"))
        form.setPadding(self._look.scaled(CODE_PADDING))
        form.setBottomMargin(self._look.scaled(8))
        block = self.text.document().begin()
        while block.isValid():
            if _is_code(block):
                block = self._framed(block, form)
            block = block.next()

    def _framed(self, block: QTextBlock, form: QTextFrameFormat) -> QTextBlock:
        """Moves the piece of code that begins here into a frame, and returns its last line."""
        cursor, lines = QTextCursor(block), [block.blockFormat()]
        while _is_code(block.next()):
            block = block.next()
            lines.append(block.blockFormat())
        cursor.setPosition(block.position() + block.length() - 1, QTextCursor.MoveMode.KeepAnchor)
        # Within a list the ground begins where the list's text does.
        indent = lines[0].indent()
        form = QTextFrameFormat(form)
        form.setLeftMargin(indent * self.text.document().indentWidth())
        block = cursor.insertFrame(form).firstCursorPosition().block()
        for place, line in enumerate(lines):
            line.setIndent(line.indent() - indent)
            # The first line has become one of the text around it.
            QTextCursor(block).setBlockFormat(line)
            block = block.next() if place < len(lines) - 1 else block
        return block

    def _dress_block(self, block: QTextBlock) -> None:
        look, form, cursor = self._look, block.blockFormat(), QTextCursor(block)
        level = form.headingLevel()
        if not block.text() and cursor.currentFrame().parentFrame() is None:
            # What Qt leaves above and below a frame takes no room.
            form.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
            form.setBottomMargin(0)
            cursor.setBlockFormat(form)
            return
        in_table, in_list = cursor.currentTable() is not None, block.textList() is not None
        # A text to be pasted stays in one piece.
        tight = in_table or _is_code(block)
        form.setTopMargin(look.scaled({0: 0, 1: 0, 2: 16}.get(level, 10)))
        goes_on = in_list and block.next().textList() is not None
        form.setBottomMargin(look.scaled(0 if tight else 3 if goes_on else 8))
        if _is_code(block):
            # A long line goes on in the next, a little to the right: the page is never wider than the window.
            form.setNonBreakableLines(False)
            form.setLeftMargin(look.scaled(CODE_HANGS))
            form.setTextIndent(-look.scaled(CODE_HANGS))
        # The ground of code has no gaps between its lines only where they are no higher than their letters; and below a
        # picture, a share of its height would be empty.
        if in_list:
            # Qt leaves one blank between a bullet and its text: a second one hangs out before the first line.
            QTextCursor(block).insertText(NO_BREAK, block.charFormat())
            form.setTextIndent(-QFontMetricsF(look.font()).horizontalAdvance(NO_BREAK))
        percent = 100 if _is_code(block) or _is_picture(block) else LINE_PERCENT
        form.setLineHeight(percent, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(form)
        cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
        if level:
            heading = QTextCharFormat()
            heading.setFont(look.font(Role.HEADING if level == 1 else Role.PILL, Weight.STRONG))
            heading.setForeground(look.color("text"))
            cursor.setCharFormat(heading)
            return
        pieces = block.begin()
        codes = []
        while not pieces.atEnd():
            piece = pieces.fragment()
            if piece.charFormat().fontFixedPitch():
                codes.append((piece.position(), piece.length()))
            pieces += 1
        code = QTextCharFormat()
        code.setFontFamilies(look.code_font().families())
        code.setForeground(look.color("text"))
        for start, length in codes:
            cursor.setPosition(start)
            cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(code)

    def _on_look_changed(self) -> None:
        self._on_search(self.search.text())
        self.refresh()

    def _on_width_changed(self) -> None:
        if "](pictures/" in self._markdown(self._page or FIRST):
            self.refresh()


def _align_heads(table: QTextTable) -> None:
    """Titles stand as the cells below them: Markdown's alignment of a column reaches those alone."""
    for column in range(table.columns() if table.rows() > 1 else 0):
        head = table.cellAt(0, column).firstCursorPosition()
        form = head.blockFormat()
        form.setAlignment(table.cellAt(1, column).firstCursorPosition().blockFormat().alignment())
        head.setBlockFormat(form)


def _is_picture(block: QTextBlock) -> bool:
    pieces = block.begin()
    return not pieces.atEnd() and pieces.fragment().charFormat().isImageFormat()


def _is_code(block: QTextBlock) -> bool:
    return block.isValid() and block.blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence.value)


def anchor(heading: str) -> str:
    """A heading as links name it: `Why an alert was not traded` is `why-an-alert-was-not-traded`."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def plain(markdown: str) -> str:
    """What a reader sees of a Markdown text, near enough to be searched in."""
    return re.sub(r"\]\([^)]*\)", "", re.sub(r"[*`|\[#>]", "", markdown))
