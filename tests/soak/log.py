"""Reads the log of `rdsign local`, which the server cuts to its last lines when it is large."""

from pathlib import Path

# So much of what was read is sought after a cut. Far less than the server keeps.
SOUGHT = 4096


class Log:
    """The log, and how much of it was read."""

    def __init__(self, path: Path):
        self._path = path
        self._read = 0
        self._last = b""
        self._cut = False

    def new_lines(self) -> str:
        """Returns the complete lines since the last call."""
        with self._path.open("rb") as log:
            self._cut |= log.seek(0, 2) < self._read
            log.seek(0 if self._cut else self._read)
            text = log.read()
        text = text[: text.rfind(b"\n") + 1]
        start = 0
        if self._cut:
            found = text.rfind(self._last)
            if found < 0:
                return ""  # the server is about to write its last lines
            start, self._cut, self._read = found + len(self._last), False, 0
        self._read += len(text)
        self._last = (self._last + text[start:])[-SOUGHT:]
        return text[start:].decode(errors="replace")
