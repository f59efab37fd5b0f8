"""The `where` and `order` parameters: a small language of comparisons.

Shape   text -> `Query`, whose `matches(get)` asks a record's fields by name; `get` raises `KeyError` for unknown ones.
Grammar `or := and (("OR" | "||") and)*`, `and := term (("AND" | "&&") term)*`, `term := "(" or ")" | "!" term |
        field op value | field.Method("text")`; operators `= == != <> < <= > >=`; values `"text"`, `guid("...")`,
        `DateTime(2026,01,31)`, `DateTime.Parse("2026-01-31")`, numbers, `true`, `false`, `null`.
Errors  `Refused` (400 QueryParseException).
Source  reference page "Requests and responses"; strings cannot hold a double quote (reported by users).
"""

import operator
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from arsync.simulators.xero.refusals import Refused, bad_query

Get = Callable[[str], Any]
Test = Callable[[Get], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)"""
    r"""|(?P<op>==|!=|<>|<=|>=|&&|\|\||[=<>!(),]))"""
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_METHODS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
    "equals": lambda text, part: text == part,
}
_DATE_PARTS = 3


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed `where`."""

    test: Test
    fields: frozenset[str]  # lower case
    ors: frozenset[str]  # fields inside an OR

    def matches(self, get: Get) -> bool:
        """Whether a record with these fields is wanted."""
        return self.test(get)


def parse(source: str) -> Query:
    """Read a `where`."""
    reader = _Reader(_tokens(source))
    test = reader.disjunction()
    if reader.more():
        raise _unexpected(reader.peek()[1])
    return Query(test, frozenset(reader.fields), frozenset(reader.fields) if reader.saw_or else frozenset())


def parse_order(source: str) -> list[tuple[str, bool]]:
    """`UpdatedDateUTC DESC, InvoiceID` as (field, descending)."""
    found = []
    for part in source.split(","):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1].upper() not in {"ASC", "DESC"}):  # noqa: PLR2004 - name and direction
            raise bad_query(f"The order '{source}' is not valid")
        found.append((words[0].lower(), len(words) > 1 and words[1].upper() == "DESC"))
    return found


def comparable(value: object) -> object:
    """Text compares without regard to case and accents."""
    if not isinstance(value, str):
        return value
    if value.isascii():
        return value.casefold()
    plain = unicodedata.normalize("NFKD", value)
    return "".join(one for one in plain if not unicodedata.combining(one)).casefold()


def _tokens(source: str) -> list[tuple[str, str]]:
    found, place = [], 0
    text = source.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unexpected(text[place : place + 10])
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        place = match.end()
    if not found:
        raise bad_query("Expression expected")
    return found


def _unexpected(text: str) -> Refused:
    return bad_query(f"Syntax error at '{text}'")


class _Reader:
    """Recursive descent."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0
        self.fields: set[str] = set()
        self.saw_or = False

    def more(self) -> bool:
        return self._place < len(self._tokens)

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self.more() else ("end", "end of expression")

    def take(self, wanted: str = "") -> str:
        _, text = self.peek()
        if not self.more() or (wanted and text != wanted):
            raise _unexpected(text)
        self._place += 1
        return text

    def _word(self, *words: str) -> bool:
        if self.more() and self.peek()[1].upper() in words:
            self._place += 1
            return True
        return False

    def disjunction(self) -> Test:
        parts = [self.conjunction()]
        while self._word("OR", "||"):
            self.saw_or = True
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else lambda get: any(part(get) for part in parts)

    def conjunction(self) -> Test:
        parts = [self.term()]
        while self._word("AND", "&&"):
            parts.append(self.term())
        return parts[0] if len(parts) == 1 else lambda get: all(part(get) for part in parts)

    def term(self) -> Test:
        if self._word("("):
            inside = self.disjunction()
            self.take(")")
            return inside
        if self._word("!"):
            negated = self.term()
            return lambda get: not negated(get)
        if self.peek()[0] != "name":
            raise _unexpected(self.peek()[1])
        return self.comparison(self.take().lower())

    def comparison(self, name: str) -> Test:
        head, _, method = name.rpartition(".")
        if method in _METHODS and self.peek()[1] == "(":
            self.take("(")
            part = str(self.value()).casefold()
            self.take(")")
            self.fields.add(head)
            act = _METHODS[method]
            return lambda get: act(str(get(head) or "").casefold(), part)
        self.fields.add(name)
        kind, text = self.peek()
        if kind != "op" or text not in _OPERATORS:  # a bare boolean field
            return lambda get: get(name) is True
        compare = _OPERATORS[self.take()]
        wanted = comparable(self.value())
        return lambda get: _compared(compare, comparable(get(name)), wanted)

    def value(self) -> object:
        kind, text = self.peek()
        self.take()
        if kind == "text":
            return text[1:-1]
        if kind == "number":
            return Decimal(text)
        word = text.lower()
        if word in {"true", "false"}:
            return word == "true"
        if word == "null":
            return None
        return self._call(word, text)

    def _call(self, word: str, text: str) -> object:
        if word not in {"guid", "datetime", "datetime.parse"}:
            raise _unexpected(text)
        self.take("(")
        given = [self.value()]
        while self._word(","):
            given.append(self.value())
        self.take(")")
        if word == "guid":
            return str(given[0]).lower()
        try:
            if word == "datetime" and len(given) >= _DATE_PARTS:
                return date(*(int(str(part)) for part in given[:_DATE_PARTS]))
            return date.fromisoformat(str(given[0])[:10])
        except ValueError as bad:
            raise bad_query(f"{text}: {bad}") from bad


def _compared(compare: Callable[[Any, Any], bool], found: object, wanted: object) -> bool:
    """Unlike kinds are never in order; only equality can be asked of null."""
    if compare in {operator.eq, operator.ne}:
        return compare(found, wanted)
    if found is None or wanted is None:
        return False
    try:
        return compare(found, wanted)
    except TypeError as bad:
        raise bad_query("Operator is incompatible with operand types") from bad
