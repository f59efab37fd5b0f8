"""The tables and the words of HTML, for advices in mails. Nothing is run, loaded or followed.

Shape   HTML -> (rows of its tables in order, its text with one line for each block); pure.
Law     every piece of text is in the text; a cell's text is in one row.
"""

import re
from html.parser import HTMLParser

_SPACE = re.compile(r"\s+")
_NO_CHARACTER = re.compile(r"&#[0-9]{8,};?")  # the last one there is has seven digits
_BLOCKS = frozenset(
    {"p", "div", "br", "tr", "table", "li", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "hr"}
)
_UNSEEN = frozenset({"script", "style", "head", "title"})


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.text: list[str] = []
        self._open: list[list[list[str]]] = []  # tables inside tables; mails are laid out with them
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "table":
            self._open.append([])
            self.tables.append(self._open[-1])
        elif tag == "tr" and self._open:
            self._open[-1].append([])
        elif tag in {"td", "th"} and self._open:
            if not self._open[-1]:
                self._open[-1].append([])
            self._open[-1][-1].append("")
            self.text.append("  ")
        if tag in _BLOCKS:
            self._say("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._unseen:
            self._unseen -= 1
        elif tag == "table" and self._open:
            self._open.pop()
        if tag in _BLOCKS:
            self._say("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._say(_SPACE.sub(" ", data))

    def _say(self, said: str) -> None:
        """Words go to the text and to the cell they stand in; marks inside a word do not part it."""
        self.text.append(said)
        if self._open and self._open[-1] and self._open[-1][-1]:
            self._open[-1][-1][-1] += said


def read(html: str) -> tuple[list[list[list[str]]], str]:
    """The tables, outermost first, and the text."""
    page = _Page()
    page.feed(_NO_CHARACTER.sub("\ufffd", html))
    page.close()
    lines = (line.strip() for line in "".join(page.text).split("\n"))
    tables = [[[" ".join(cell.split()) for cell in row] for row in table] for table in page.tables]
    return tables, "\n".join(line for line in lines if line)
