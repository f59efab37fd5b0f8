"""The text of a PDF, laid out as it stands on the page, so that columns stay columns.

Errors  `UnsafeFile` for too many pages, `UnsupportedFormat` for a locked one or a picture of text.
"""

import io

from arsync.errors import FileRefused, UnsafeFile, UnsupportedFormat

MOST_PAGES = 500


def text_of(data: bytes) -> str:
    """The text of all pages, one line for each line on the page."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise UnsupportedFormat("the PDF is locked with a password", do="ask the sender for an open one")
        if len(reader.pages) > MOST_PAGES:
            raise UnsafeFile(
                f"the PDF has {len(reader.pages)} pages, more than {MOST_PAGES}", do="ask for a CSV"
            )
        text = "\n".join(page.extract_text(extraction_mode="layout") for page in reader.pages)
    # What a broken PDF raises inside pypdf is no closed list; each of these is seen in its issues.
    except (
        PyPdfError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise FileRefused(
            f"the PDF cannot be read: {error}"[:200], do="ask the sender for it again"
        ) from None
    if not text.strip():
        raise UnsupportedFormat(
            "the PDF holds no text, only pictures",
            do="enter it by hand, or ask the sender for a CSV or a PDF with text",
        )
    return text
