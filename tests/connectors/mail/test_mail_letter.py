"""Letters: who is believed, what they say, what hangs on them. The law: a header is the word of whoever wrote it."""

import time
from datetime import date
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.mail import letter
from arsync.errors import UnsafeFile

OURS = "mx.ours.example"
PASS = "dkim=pass header.d=acme.example"


def mail(body="Hello", *, sender="Accounts <AP@acme.example>", results=(), **headers):
    message = EmailMessage()
    message["From"] = sender
    message["Subject"] = "Remittance"
    message["Date"] = "Tue, 06 Jan 2026 23:30:00 -0500"
    for name, value in headers.items():
        message[name] = value
    message.set_content(body)
    # Written by hand: what servers and strangers write is not always what a library would.
    return "".join(f"Authentication-Results: {one}\r\n" for one in results).encode() + message.as_bytes()


def test_what_a_letter_says():
    read = letter.read(mail("Dear all"), OURS)
    assert (read.sender, read.sender_name, read.subject) == ("ap@acme.example", "Accounts", "Remittance")
    assert (read.on, read.text.strip(), read.is_proven) == (date(2026, 1, 7), "Dear all", False)


@pytest.mark.parametrize(
    ("results", "proven"),
    [
        pytest.param([f"{OURS}; {PASS}"], True, id="our server checked the sender's own domain"),
        pytest.param([f"{OURS} 1; spf=fail; dkim=pass (ok) header.i=@acme.example"], True, id="version, comment"),
        pytest.param([f"{OURS}; dkim=fail header.d=acme.example"], False, id="the signature does not hold"),
        pytest.param([f"{OURS}; dkim=pass header.d=evil.example"], False, id="a stranger's signature holds"),
        pytest.param([f"{OURS}; dkim=pass header.d=notacme.example"], False, id="a domain that only ends alike"),
        pytest.param([f"{OURS}; dkim=pass header.d=example"], False, id="a whole top level"),
        pytest.param([f"other.example; {PASS}"], False, id="another server says so"),
        pytest.param([f"{OURS}; none", f"{OURS}; {PASS}"], False, id="ours is topmost; the other was sent along"),
        pytest.param([f"{OURS}; dkim=fail (dkim=pass header.d=acme.example)"], False, id="a pass inside a comment"),
        pytest.param([f"{OURS}; dkim=fail (x (y) ; dkim=pass header.d=acme.example)"], False, id="inside two"),
        pytest.param([f'{OURS}; dkim=fail reason="; {PASS}"'], False, id="a pass inside quotes"),
        pytest.param([f"{OURS}; dkim=passed header.d=acme.example"], False, id="no word of the standard"),
        pytest.param([f"{OURS}; spf=pass smtp.mailfrom=acme.example"], False, id="the envelope alone proves nothing"),
        pytest.param([], False, id="nobody checked"),
    ],
)  # fmt: skip
def test_who_is_proven(results, proven):
    assert letter.read(mail(results=results), OURS).is_proven is proven


def test_a_subdomain_may_be_signed_by_the_one_above():
    data = mail(sender="ap@pay.acme.example", results=[f"{OURS}; {PASS}"])
    assert letter.read(data, OURS).is_proven


def test_without_an_authority_nobody_is_proven():
    assert not letter.read(mail(results=[f"{OURS}; {PASS}", f"; {PASS}"]), "").is_proven


@pytest.mark.parametrize(
    "sender", ["", "nobody", "a@acme.example, b@evil.example", "undisclosed-recipients:;"]
)
def test_a_sender_that_is_none_or_several_is_nobody(sender):
    read = letter.read(mail(sender=sender or "x", results=[f"{OURS}; {PASS}"]), OURS)
    assert (read.sender, read.is_proven) == ("", False)


@pytest.mark.parametrize("piece", ["Accounts From: ", "(", "<a", "a@b.example,", "@a:", "=?utf-8?q?a?= "])
@pytest.mark.parametrize("header", ["From", "Subject", "Date"])
def test_a_header_of_thousands_of_words_still_leaves_the_letter(header, piece):
    data = f"{header}: {piece * 5000}\r\n".encode() + mail("INV-1  10.00")
    assert "INV-1" in letter.read(data, OURS).text


def test_two_from_headers_are_nobody():
    data = b"From: ap@acme.example\r\n" + mail(sender="b@evil.example", results=())
    assert letter.read(data, OURS).sender == ""


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("Tue, 06 Jan 2026 23:30:00 -0500", date(2026, 1, 7)),
        ("Tue, 06 Jan 202999999999999999999999 23:30:00 -0500", None),
        ("Fri, 31 Dec 9999 23:30:00 -0500", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_day_of_a_letter_or_none(written, day):
    data = mail("Hello").replace(b"Tue, 06 Jan 2026 23:30:00 -0500", written.encode())
    assert letter.read(data, OURS).on == day


@pytest.mark.parametrize("charset", ["utf-8", "klingon", "utf\x00-8", "hex"])
def test_the_words_of_a_letter_whatever_codec_it_names(charset):
    data = mail("Invoice 1001").replace(b'charset="utf-8"', f'charset="{charset}"'.encode())
    assert "nvoice 1001" in letter.read(data, OURS).text


def test_words_pages_and_documents():
    message = EmailMessage()
    message["From"] = "ap@acme.example"
    message.set_content("text: äöü", charset="iso-8859-1")
    message.add_alternative("<p>page</p>", subtype="html")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="Avis März.pdf")
    message.add_attachment("a,b\n", subtype="csv", filename="a.csv")
    message.add_attachment(b"logo", maintype="image", subtype="png", filename="logo.png")
    read = letter.read(message.as_bytes(), OURS)
    assert (read.text.strip(), read.html.strip()) == ("text: äöü", "<p>page</p>")
    assert [one.name for one in read.documents] == ["Avis März.pdf", "a.csv"]


def test_a_forwarded_letter_brings_its_documents():
    inner = EmailMessage()
    inner["From"] = "ap@acme.example"
    inner.set_content("inner words")
    inner.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="a.pdf")
    outer = EmailMessage()
    outer["From"] = "clerk@ours.example"
    outer.set_content("see below")
    outer.add_attachment(inner)
    read = letter.read(outer.as_bytes(), OURS)
    assert [one.name for one in read.documents] == ["a.pdf"]
    assert "inner words" in read.text
    assert read.sender == "clerk@ours.example"


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("Please note our new bank details.", True),
        ("We changed our IBAN, pay to DE89 ...", True),
        ("Unsere Bankverbindung wurde geändert. Neue Bankverbindung: ...", True),
        ("Please update your records with the following account number", True),
        ("Attached the remittance for invoice 1001, paid to your bank account.", False),
        ("There is a new invoice. Our bank details are unchanged", False),
    ],
)
def test_a_letter_that_asks_to_change_bank_details(said, asks):
    assert bool(letter.read(mail(said), OURS).asks_for_bank_details) is asks


@given(st.binary(max_size=600))
def test_no_bytes_break_the_reader(data):
    assert isinstance(letter.read(data, OURS), letter.Letter)


@given(st.text(max_size=120), st.text(max_size=120), st.text(max_size=200))
def test_no_headers_break_the_reader(sender, when, body):
    data = f"From: {sender}\r\nDate: {when}\r\nSubject: {sender}\r\nContent-Type: {when}\r\n\r\n{body}"
    assert isinstance(letter.read(data.encode("utf-8", "replace"), OURS), letter.Letter)


def test_a_letter_of_more_parts_than_any_is_refused_at_once():
    part = '--between\nContent-Type: text/plain; boundary="between"\n\n'
    data = mail("hello").replace(b"\n\n", b'\nContent-Type: multipart/mixed; boundary="between"\n\n', 1)
    began = time.thread_time()
    with pytest.raises(UnsafeFile, match="parts"):
        letter.read(data + (part * 300_000).encode(), OURS)
    assert time.thread_time() - began < 1
    few = letter.read(data + (part * 400).encode() + b"--between--\n", OURS)
    assert few.sender == "ap@acme.example"
