"""The query language: `SELECT * FROM Invoice WHERE Balance > '0' ORDERBY TxnDate DESC STARTPOSITION 1`.

Shape   text -> `Select`; the books decide what it finds.
Errors  `Refused` 4000 when the text cannot be parsed, 4001 when it names what does not exist.
Source  Intuit's page on data queries; both spellings of ORDER BY and both orders of paging are recorded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from arsync.simulators.quickbooks import refusals
from arsync.simulators.quickbooks.schema import ENTITIES, KIND_OF_PATH, NOT_FILTERABLE, STRUCTURES, Property

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000

Operator = Literal["=", "<", ">", "<=", ">=", "LIKE", "IN"]
_OPERATORS: tuple[Operator, ...] = ("=", "<", ">", "<=", ">=", "LIKE", "IN")


@dataclass(frozen=True, slots=True)
class Condition:
    """`field operator values`; every operator but IN has one value."""

    field: str
    type: str
    operator: Operator
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Select:
    """A parsed query."""

    kind: str
    count: bool = False
    fields: tuple[str, ...] = ()  # empty: all of them
    where: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()  # (field, descending)
    start: int = 1
    limit: int = DEFAULT_PAGE


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["word", "text", "sign", "end"]
    text: str


_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<word>[A-Za-z0-9_.+:-]+)|(?P<sign><=|>=|[=<>(),*]))""", re.DOTALL
)


def _tokens(source: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    source = source.strip()
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise refusals.query_syntax(
                f'Encountered " {source[position]!r} "" at line 1, column {position + 1}.'
            )
        position = match.end()
        if match["text"] is not None:
            found.append(_Token("text", re.sub(r"\\(.)", r"\1", match["text"][1:-1], flags=re.DOTALL)))
        elif match["word"] is not None:
            found.append(_Token("word", match["word"]))
        else:
            found.append(_Token("sign", match["sign"]))
    return found


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, source: str, *, strict: bool) -> None:
        self._strict = strict
        self._tokens = _tokens(source)
        self._position = 0

    def _peek(self, ahead: int = 0) -> _Token:
        index = self._position + ahead
        return self._tokens[index] if index < len(self._tokens) else _Token("end", "")

    def _take(self) -> _Token:
        token = self._peek()
        self._position += 1
        return token

    def _keyword(self, *words: str) -> bool:
        for ahead, word in enumerate(words):
            token = self._peek(ahead)
            if token.kind != "word" or token.text.upper() != word:
                return False
        self._position += len(words)
        return True

    def _sign(self, sign: str) -> bool:
        if self._peek() != _Token("sign", sign):
            return False
        self._position += 1
        return True

    def _fail(self) -> refusals.Refused:
        return refusals.query_syntax(
            f'Encountered " "{self._peek().text or "<EOF>"}" "" at token {self._position}.'
        )

    def _expect(self, done: object) -> None:
        if not done:
            raise self._fail()

    def _word(self) -> str:
        if self._peek().kind != "word":
            raise self._fail()
        return self._take().text

    def parse(self) -> Select:
        self._expect(self._keyword("SELECT"))
        count, fields = self._columns()
        self._expect(self._keyword("FROM"))
        kind = self._word()
        if not self._strict:
            kind = KIND_OF_PATH.get(kind.lower(), kind)
        if kind not in ENTITIES:
            raise refusals.query_invalid(
                f"Property {kind} not found for Entity: invalid context declaration: {kind}"
            )
        for field in fields:
            field_type(kind, field)
        where = self._conditions(kind) if self._keyword("WHERE") else ()
        order = self._order(kind) if self._keyword("ORDERBY") or self._keyword("ORDER", "BY") else ()
        start, limit = self._paging()
        if self._peek().kind != "end":
            raise self._fail()
        return Select(kind, count, fields, where, order, start, limit)

    def _columns(self) -> tuple[bool, tuple[str, ...]]:
        if self._keyword("COUNT"):
            self._expect(self._sign("(") and self._sign("*") and self._sign(")"))
            return True, ()
        everything = False
        fields: list[str] = []
        while True:
            if self._sign("*"):
                everything = True
            else:
                fields.append(self._word())
            if not self._sign(","):
                return False, () if everything else tuple(fields)

    def _conditions(self, kind: str) -> tuple[Condition, ...]:
        found = [self._condition(kind)]
        while self._keyword("AND"):
            found.append(self._condition(kind))
        return tuple(found)

    def _condition(self, kind: str) -> Condition:
        field = self._word()
        known = field_type(kind, field)
        token = self._take()
        operator = next((one for one in _OPERATORS if one == token.text.upper()), None)
        if operator is None:
            self._position -= 1
            raise self._fail()
        if operator != "IN":
            return Condition(field, known, operator, (self._literal(),))
        self._expect(self._sign("("))
        values = [self._literal()]
        while self._sign(","):
            values.append(self._literal())
        self._expect(self._sign(")"))
        return Condition(field, known, operator, tuple(values))

    def _literal(self) -> str:
        if self._peek().kind not in {"text", "word"}:
            raise self._fail()
        return self._take().text

    def _order(self, kind: str) -> tuple[tuple[str, bool], ...]:
        found: list[tuple[str, bool]] = []
        while True:
            field = self._word()
            field_type(kind, field)
            descending = self._keyword("DESC")
            if not descending:
                self._keyword("ASC")
            found.append((field, descending))
            if not self._sign(","):
                return tuple(found)

    def _paging(self) -> tuple[int, int]:
        start, limit = 1, DEFAULT_PAGE
        while True:
            if self._keyword("STARTPOSITION"):
                start = self._position_number(1)
            elif self._keyword("MAXRESULTS"):
                limit = self._position_number(0)
            else:
                return start, min(limit, LARGEST_PAGE)

    def _position_number(self, smallest: int) -> int:
        text = self._word()
        if not re.fullmatch(r"-?[0-9]+", text):
            self._position -= 1
            raise self._fail()
        if int(text) < smallest:
            raise refusals.query_invalid(f"value {text} is too small. Min allowed value is {smallest}")
        return int(text)


def field_type(kind: str, field: str) -> str:
    """The type of a property of a kind, by its dotted name; `ref` for a reference.

    Raises:
        Refused: 4001, there is no such property or it cannot be asked for.
    """
    table: Mapping[str, Property] = ENTITIES[kind]
    known: Property | None = None
    for name in field.split("."):
        known = table.get(name)
        if known is None or name in NOT_FILTERABLE.get(kind, frozenset()):
            raise refusals.query_invalid(f"Property {field} not found for Entity {kind}")
        table = STRUCTURES.get(known.type, {})
    return known.type if known else "text"


def parse(source: str, *, strict: bool = False) -> Select:
    """Parse a query; `strict` tells `invoice` from `Invoice`.

    Raises:
        Refused: 4000 or 4001.
    """
    return _Parser(source, strict=strict).parse()
