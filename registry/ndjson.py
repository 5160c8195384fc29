"""Newline-delimited JSON bodies: one object per line, on disk, so that their size costs no memory."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from tempfile import TemporaryFile
from typing import IO, Any, Self

from django.utils.translation import gettext as _
from rest_framework import exceptions, parsers, status

MEDIA_TYPE = "application/x-ndjson"
BLOCK = 1 << 16
LONGEST_LINE = 1 << 20
LARGEST = 1 << 28  # bytes; 20,000 visits are about 10 MB


class TooLarge(exceptions.APIException):
    """A body that is larger than this view takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class Lines:
    """The lines of a body that was read to its end; they can be read again, each at its place."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 (deleted by the system when it is closed)
        while block := stream.read(BLOCK):
            self._file.write(block)
            if self._file.tell() > LARGEST:
                self._file.close()
                raise TooLarge(_("At most %s bytes; send the file in parts.") % LARGEST)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give the disk space back."""
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, int, bytes]]:
        """Number (from 1), place and text of each line that is not blank; 413 for an endless one."""
        for number, (place, line) in enumerate(self._read(0), 1):
            if len(line) == LONGEST_LINE:
                raise TooLarge(_("Line %s is longer than a record can be.") % number)
            if line.strip():
                yield number, place, line

    @property
    def count(self) -> int:
        """How many lines are not blank."""
        return sum(1 for _line in self)

    def at(self, place: int) -> bytes:
        """The line that begins there."""
        return next(self._read(place))[1]

    def _read(self, place: int) -> Iterator[tuple[int, bytes]]:
        while True:
            self._file.seek(place)
            if not (line := self._file.readline(LONGEST_LINE)):
                return
            yield place, line.removeprefix(BOM_UTF8) if place == 0 else line
            place += len(line)


class NDJSONParser(parsers.BaseParser):
    """`application/x-ndjson`, kept as `Lines`; nothing is decoded here."""

    media_type = MEDIA_TYPE

    def parse(  # type: ignore[override]  # DRF takes any object for data
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Lines:
        """The whole body; 413 where it is too large."""
        return Lines(stream)
