"""Pictures inside metadata: a PNG as base64 in markdown opens in a dialog of the web UI, wherever it runs."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import dagster as dg

LARGEST = 300_000  # bytes of PNG in one metadata entry: each is a row of the event log


def inline(path: Path) -> dg.MarkdownMetadataValue:
    """The picture at `path`, made smaller when it would bloat the event log."""
    content = path.read_bytes()
    return markdown(content if len(content) <= LARGEST else _smaller(path), path.stem)


def markdown(png: bytes, name: str) -> dg.MarkdownMetadataValue:
    """A PNG as markdown."""
    return dg.MetadataValue.md(f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})")


def _smaller(path: Path) -> bytes:
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB")
    content = path.read_bytes()
    while len(content) > LARGEST:
        small = small.resize((max(1, small.width * 3 // 4), max(1, small.height * 3 // 4)))
        stream = io.BytesIO()
        small.quantize(64).save(stream, "PNG", optimize=True)
        content = stream.getvalue()
    return content
