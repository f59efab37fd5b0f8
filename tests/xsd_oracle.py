"""Intuit's own schema as an oracle: which properties, enumeration values and lengths exist at all.

Read from the shared corpus at test time; nothing of it is in the project. `check_entity` says what in a JSON
object lies outside of the schema: use it on every answer of the simulator and every request of the connector.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from lxml import etree

FOLDER = Path(__file__).parents[1] / "../shared/corpus/quickbooks/xsd"
FILES = ("Finance", "IntuitBaseTypes", "IntuitNamesTypes", "IntuitRestServiceDef", "Report", "SalesTax")
_XS = "{http://www.w3.org/2001/XMLSchema}"
OPAQUE = {"IntuitAnyType", "anyType"}


@dataclass(frozen=True)
class Declared:
    """One property as the schema declares it."""

    type: str
    many: bool
    words: str  # its documentation


@cache
def _declarations() -> tuple[dict[str, etree._Element], dict[str, etree._Element]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    elements: dict[str, etree._Element] = {}
    types: dict[str, etree._Element] = {}
    for name in FILES:
        for child in etree.parse(FOLDER / f"{name}.xsd", parser).getroot():
            if child.tag == f"{_XS}element":
                elements[child.get("name")] = child
            elif child.tag in (f"{_XS}complexType", f"{_XS}simpleType"):
                types[child.get("name")] = child
    return elements, types


def _local(name: str | None) -> str:
    return (name or "").rpartition(":")[2]


def _words(element: etree._Element) -> str:
    return " ".join("".join(one.itertext()) for one in element.iter(f"{_XS}documentation"))


@cache
def properties(type_name: str) -> dict[str, Declared]:
    """Every property of a type, those of its bases too, by its JSON name."""
    declared = _declarations()[1].get(type_name)
    return {} if declared is None else dict(_walk(declared))


def _walk(node: etree._Element) -> Iterator[tuple[str, Declared]]:
    elements, _ = _declarations()
    for child in node:
        if child.tag == f"{_XS}extension":
            base = _local(child.get("base"))
            if child.getparent().tag == f"{_XS}simpleContent":
                yield "value", Declared(base, False, "")
            else:
                yield from properties(base).items()
            yield from _walk(child)
        elif child.tag == f"{_XS}element":
            named = elements[_local(child.get("ref"))] if child.get("ref") else child
            many = child.get("maxOccurs") not in (None, "0", "1")
            yield named.get("name"), Declared(_local(named.get("type")), many, _words(child))
        elif child.tag == f"{_XS}attribute":
            yield child.get("name"), Declared(_local(child.get("type")), False, "")
        elif isinstance(child.tag, str) and child.tag != f"{_XS}annotation":
            yield from _walk(child)


@cache
def enumeration(type_name: str) -> tuple[str, ...]:
    """The values of an enumeration, or nothing."""
    declared = _declarations()[1].get(type_name)
    if declared is None or declared.tag != f"{_XS}simpleType":
        return ()
    return tuple(one.get("value") for one in declared.iter(f"{_XS}enumeration"))


def documented_lengths(type_name: str, name: str) -> set[int]:
    """Every length the documentation of a property speaks of."""
    declared = properties(type_name).get(name)
    words = " ".join(declared.words.split()) if declared else ""
    found = re.findall(r"[Mm]ax(?:imum)?\.?\s*[Ll]ength\b.{0,80}?(\d+)|\bmax=(\d+)", words)
    return {int(one or other) for one, other in found}


def check_entity(entity_name: str, document: dict, path: str = "") -> list[str]:
    """What in a JSON object the schema does not know; an empty list when all is well."""
    if not properties(entity_name):
        return [f"{path or entity_name}: no such entity"]
    return list(_problems(entity_name, document, path or entity_name))


def _problems(type_name: str, document: dict, path: str) -> Iterator[str]:
    known = properties(type_name)
    for name, value in document.items():
        where = f"{path}.{name}"
        if name not in known:
            yield f"{where}: unknown property"
        elif known[name].many and not isinstance(value, list):
            yield f"{where}: should be a list"
        else:
            for one in value if known[name].many else [value]:
                yield from _value_problems(known[name].type, one, where)


def _value_problems(type_name: str, value: object, where: str) -> Iterator[str]:
    if type_name in OPAQUE:
        return
    if enumeration(type_name):
        if value not in enumeration(type_name):
            yield f"{where}: {value!r} is not in {type_name}"
    elif properties(type_name):
        if isinstance(value, dict):
            yield from _problems(type_name, value, where)
        else:
            yield f"{where}: should be an object"
    elif not _fits(type_name, value):
        yield f"{where}: {value!r} is no {type_name}"


def _fits(type_name: str, value: object) -> bool:
    if type_name == "boolean":
        return isinstance(value, bool)
    if type_name in {"decimal", "int", "long", "positiveInteger", "integer"}:
        return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    if type_name == "date":
        return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None
    if type_name == "dateTime":
        pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)"
        return isinstance(value, str) and re.fullmatch(pattern, value) is not None
    return isinstance(value, str)
