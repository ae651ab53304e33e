"""What a page of HTML holds, as a reader of it finds it."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np

EVIL = 'hot <script>alert(1)</script> & "cold"\''


class Page(HTMLParser):
    """text: all words, blanks as one. files: name to content of what can be downloaded. figures: SVG sources, in order.
    tags: all start tags with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.files: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._words: list[str] = []
        self._hidden = False
        self.feed(source)
        self.text = re.sub(r"\s+", " ", "".join(self._words))
        self.figures = re.findall(r"<svg viewBox=\"0 0 400 .*?</svg>(?=\n)", source, re.DOTALL)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag == "style"
        given = dict(attrs)
        if tag == "a" and "download" in given:
            kind, content = given["href"].split(",", 1)
            assert kind == "data:text/csv;charset=utf-8"
            self.files[given["download"]] = unquote(content)

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        if not self._hidden:
            self._words.append(data)

    def columns(self, name: str) -> dict[str, np.ndarray]:
        """A CSV file by its headers; an empty cell is NaN."""
        header, *rows = csv.reader(io.StringIO(self.files[name]))
        values = np.array([[float(cell) if cell else np.nan for cell in row] for row in rows])
        return dict(zip(header, values.T, strict=True))
