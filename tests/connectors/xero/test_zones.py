"""Xero's names of time zones: each one that Xero's document knows is a zone of the time zone database."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from arsync.connectors.xero import mapping
from arsync.connectors.xero.zones import zone_of
from tests.simulators import xero_spec

ORGANISATION = {"Name": "Harbour & Pine", "BaseCurrency": "NZD"}


def books(**fields):
    return mapping.books({**ORGANISATION, **fields}, [{"Code": "NZD"}], reminds=False).value


@pytest.mark.corpus
def test_every_zone_of_xeros_document_is_known():
    names = xero_spec.document()["components"]["schemas"]["TimeZone"]["enum"]
    zones = {name: zone_of(name) for name in names}
    assert len(zones) == 141
    assert [name for name, zone in zones.items() if zone is None] == []
    for zone in zones.values():
        ZoneInfo(zone)


# What people of these places know of their clocks, in July and in January.
@pytest.mark.parametrize(
    ("name", "july", "january"),
    [
        ("NEWZEALANDSTANDARDTIME", "+1200", "+1300"),
        ("CHATHAMISLANDSSTANDARDTIME", "+1245", "+1345"),
        ("AUSEASTERNSTANDARDTIME", "+1000", "+1100"),
        ("EAUSTRALIASTANDARDTIME", "+1000", "+1000"),
        ("CENAUSTRALIASTANDARDTIME", "+0930", "+1030"),
        ("GMTSTANDARDTIME", "+0100", "+0000"),
        ("GREENWICHSTANDARDTIME", "+0000", "+0000"),
        ("WEUROPESTANDARDTIME", "+0200", "+0100"),
        ("INDIASTANDARDTIME", "+0530", "+0530"),
        ("EASTERNSTANDARDTIME", "-0400", "-0500"),
        ("USMOUNTAINSTANDARDTIME", "-0700", "-0700"),
        ("MOUNTAINSTANDARDTIME", "-0600", "-0700"),
        ("PACIFICSTANDARDTIME(MEXICO)", "-0700", "-0800"),
        ("HAWAIIANSTANDARDTIME", "-1000", "-1000"),
        ("DATELINESTANDARDTIME", "-1200", "-1200"),
        ("KAMCHATKASTANDARDTIME", "+1200", "+1200"),
        ("MIDATLANTICSTANDARDTIME", "-0200", "-0200"),
        ("UTC", "+0000", "+0000"),
        ("UTC+13", "+1300", "+1300"),
        ("UTC11", "-1100", "-1100"),
    ],
)
def test_what_the_clocks_show_there(name, july, january):
    zone = ZoneInfo(zone_of(name))
    shown = [datetime(2026, month, 15, 12, tzinfo=zone).strftime("%z") for month in (7, 1)]
    assert shown == [july, january]


def test_the_books_tell_their_zone():
    assert books(Timezone="NEWZEALANDSTANDARDTIME").zone == "Pacific/Auckland"


@pytest.mark.parametrize("named", ["", None])
def test_books_that_name_no_zone_have_none_and_need_no_warning(named):
    made = books(Timezone=named)
    assert (made.zone, made.warnings) == (None, ())


def test_a_zone_that_nobody_knows_is_told_and_not_guessed():
    made = books(Timezone="ATLANTISSTANDARDTIME")
    assert made.zone is None
    assert re.search("ATLANTISSTANDARDTIME is not known", made.warnings[0])
