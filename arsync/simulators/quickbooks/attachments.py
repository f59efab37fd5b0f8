"""Files beside documents: reading an upload, and addresses that work for a quarter of an hour.

Shape   multipart bytes, with LF or CRLF between the lines -> (metadata, content or None) for each file.
Source  a recorded upload (CRLF, binary) and python-quickbooks 0.9.12 (LF, base64); the life of an address from
        recorded `X-Amz-Expires=900`.
"""

import base64
import binascii
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, NamedTuple

from arsync.simulators.quickbooks import refusals
from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.schema import KIND_OF_PATH
from arsync.simulators.quickbooks.wire import Document, parse_json

if TYPE_CHECKING:  # books imports this module
    from arsync.simulators.quickbooks.books import Books

ADDRESS_LIFE_S = 900
FIRST_ID = 5_000_000_000_000_000_001
"""Recorded Ids of attachments have nineteen digits."""


class Part(NamedTuple):
    """One part of a multipart body."""

    name: str
    content: bytes
    file_name: str
    content_type: str


def uploads(body: bytes) -> list[tuple[Document, bytes | None]]:
    """The files of an upload: `file_metadata_01` with `file_content_01`, and so on.

    Raises:
        Refused: 2010, no multipart body or no metadata in it.
    """
    parts = {part.name: part for part in _parts(body)}
    numbers = sorted({name.rpartition("_")[2] for name in parts if name.startswith("file_")})
    if not numbers:
        raise refusals.unreadable("no file in the upload")
    return [_file(parts.get(f"file_metadata_{one}"), parts.get(f"file_content_{one}")) for one in numbers]


def _file(about: Part | None, content: Part | None) -> tuple[Document, bytes | None]:
    """Metadata are written beside the content, or follow from its headers (as a client for Node sends it)."""
    held = content.content if content is not None else None
    if about is None:
        named = {"FileName": content.file_name, "ContentType": content.content_type} if content else {}
        return named, held
    try:
        metadata = parse_json(about.content)
    except ValueError as bad:
        raise refusals.unreadable(f"Unexpected character: {bad}") from bad
    if not isinstance(metadata, dict):
        raise refusals.unreadable("the metadata is no JSON object")
    return metadata, held


def _parts(body: bytes) -> list[Part]:
    """The boundary is the first line, whatever the header said: the SDK's lines end in LF only."""
    boundary, _, rest = body.lstrip().partition(b"\n")
    boundary = boundary.rstrip()
    if not boundary.startswith(b"--"):
        raise refusals.unreadable("the body is no multipart upload")
    pieces = re.split(rb"(?:\A|\r?\n)" + re.escape(boundary) + rb"(?:--)?[ \t]*(?:\r?\n|\Z)", rest)
    return [part for part in map(_part, pieces) if part is not None]


def _part(piece: bytes) -> Part | None:
    head, *rest = re.split(rb"\r?\n\r?\n", piece, maxsplit=1)
    name = re.search(rb'\bname="([^"]*)"', head)
    if not rest or name is None:
        return None
    content = rest[0]
    if re.search(rb"(?im)^content-transfer-encoding:\s*base64", head):
        try:
            content = base64.b64decode(content)
        except binascii.Error as bad:
            raise refusals.unreadable(f"the content is no base64: {bad}") from bad
    file_name = re.search(rb'filename="([^"]*)"', head)
    content_type = re.search(rb"(?im)^content-type:\s*([^\s;]+)", head)
    found = (one[1].decode("utf-8", "replace") if one else "" for one in (name, file_name, content_type))
    return Part(next(found), content, *found)


def attach(books: "Books", metadata: Document, content: bytes | None) -> Document:
    """Add a file, or a note without one.

    Raises:
        Refused: 6000 for a document that is not there, 2020 for neither a name nor a note.
    """
    with books.lock:
        made = books.create("Attachable", metadata)
        record = books.records["Attachable"][made["Id"]]
        if content is not None:
            record.content = base64.b64encode(content).decode()
            record.fields["Size"] = len(content)
        return books.render(record)


def check(books: "Books", fields: Document) -> None:
    """Whether an attachment says something about something.

    Raises:
        Refused: 2020 or 6000.
    """
    if "FileName" not in fields and "Note" not in fields:
        raise refusals.missing("FileName")
    for one in fields.get("AttachableRef", []):
        target = one.get("EntityRef", {})
        kind = KIND_OF_PATH.get(str(target.get("type", "")).lower(), "")
        if not kind or books.find(kind, str(target.get("value", ""))) is None:
            raise refusals.nothing_to_link(str(target.get("type", "")), str(target.get("value", "")))


def update(books: "Books", record: Record, fields: Document) -> Document:
    """Change what is said about a file; the file stays."""
    check(books, fields)
    if "Size" in record.fields:
        fields["Size"] = record.fields["Size"]
    if fields != record.fields:
        record.fields = fields
        books.touch(record)
        books.commit()
    return books.render(record)


def address(base_url: str, realm_id: str, record_id: str, now_s: int) -> str:
    """Where a file can be fetched without a token, until it expires."""
    query = f"X-Amz-Date={now_s}&X-Amz-Expires={ADDRESS_LIFE_S}"
    return (
        f"{base_url}/files/{realm_id}/{record_id}?{query}&X-Amz-Signature={_sign(realm_id, record_id, now_s)}"
    )


def opens(query: dict[str, str], realm_id: str, record_id: str, now_s: int) -> bool:
    """Whether the query of an address is ours and not too old."""
    signed = query.get("X-Amz-Date", "")
    if not signed.isdecimal() or not 0 <= now_s - int(signed) < ADDRESS_LIFE_S:
        return False
    return hmac.compare_digest(query.get("X-Amz-Signature", ""), _sign(realm_id, record_id, int(signed)))


def _sign(realm_id: str, record_id: str, at_s: int) -> str:
    return hmac.new(b"simulated", f"{realm_id}/{record_id}/{at_s}".encode(), hashlib.sha256).hexdigest()
