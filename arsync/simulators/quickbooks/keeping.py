"""The state file: one whole document, and beside it a log of what has changed since.

Shape   `whole` replaces the file and starts an empty log; `append` adds one line to the log; `read` joins them.
Law     a reader sees every appended change or, for the last line of a killed writer, none of it.
Units   a write costs what it changed, not what there is: books of any size stay quick.
"""

import secrets
from pathlib import Path

from arsync.simulators.quickbooks.wire import Document, dump_json, parse_json

FORMAT = "arsync quickbooks simulator 2"
SMALLEST_LOG_BYTES = 4_000_000
"""A log shorter than this is never worth a rewrite of the whole."""


class StateFile:
    """One state file and its log; `FILE` and `FILE.log`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log_path = path.with_name(f"{path.name}.log")
        self._generation = ""  # names a whole and the log that belongs to it
        self._whole_bytes = 0
        self._log_bytes = 0

    @property
    def wants_whole(self) -> bool:
        """Whether the log has become longer than what it amends."""
        return not self._generation or self._log_bytes > max(SMALLEST_LOG_BYTES, self._whole_bytes)

    @property
    def has_log(self) -> bool:
        """Whether anything has been appended since the whole was written here."""
        return self._log_bytes > 0

    def whole(self, document: Document) -> None:
        """Write everything; a reader sees the old state or the new one, never half of one."""
        self._generation = secrets.token_hex(8)
        text = dump_json({"format": FORMAT, "generation": self._generation, **document})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.path)
        self.log_path.unlink(missing_ok=True)
        self._whole_bytes, self._log_bytes = len(text), 0

    def append(self, change: Document) -> None:
        """Add a change; it is in the file when this returns."""
        line = dump_json({"generation": self._generation, **change}) + "\n"
        with self.log_path.open("a", encoding="utf-8") as log:
            log.write(line)
        self._log_bytes += len(line)

    def read(self) -> tuple[Document, list[Document]]:
        """(the whole, the changes since).

        Raises:
            ValueError: the file is not one of `whole`.
        """
        document = parse_json(self.path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError(f"{self.path} is no state file of this simulator")
        # A log of an earlier whole is left where the writer was killed between its two steps.
        generation = document["generation"]
        lines = self.log_path.read_text(encoding="utf-8").split("\n")[:-1] if self.log_path.exists() else []
        changes = [parse_json(line) for line in lines]
        return document, [one for one in changes if isinstance(one, dict) and one["generation"] == generation]
