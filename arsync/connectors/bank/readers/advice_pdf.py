"""The text of a PDF, laid out as it stands on the page, so that columns stay columns.

Errors  `UnsafeFile` for too many pages, `UnsupportedFormat` for a locked one or a picture of text.
"""

import io
import logging
import zlib

from arsync.errors import FileRefused, UnsafeFile, UnsupportedFormat

MOST_PAGES = 500
# What a broken PDF raises inside pypdf is no closed list; damaging files at random met some of these.
_BROKEN = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, AssertionError, zlib.error,
)  # fmt: skip


def text_of(data: bytes) -> str:
    """The text of all pages, one line for each line on the page."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it thinks of a file is nothing for people
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise UnsupportedFormat("the PDF is locked with a password", do="ask the sender for an open one")
        if len(reader.pages) > MOST_PAGES:
            raise UnsafeFile(
                f"the PDF has {len(reader.pages)} pages, more than {MOST_PAGES}", do="ask for a CSV"
            )
        text = "\n".join(page.extract_text(extraction_mode="layout") for page in reader.pages)
    except (PyPdfError, *_BROKEN) as error:
        raise FileRefused(
            f"the PDF cannot be read: {error}"[:200], do="ask the sender for it again"
        ) from None
    if not text.strip():
        raise UnsupportedFormat(
            "the PDF holds no text, only pictures",
            do="enter it by hand, or ask the sender for a CSV or a PDF with text",
        )
    return text
