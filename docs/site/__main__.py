"""Build the documentation site, as `make docs` does; with `--external` ask the hosts of external links instead."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.site import links
from docs.site.pages import ROOT
from docs.site.staging import stage, texts_of

BUILD = ROOT / "build" / "site"
SHOWN = 20  # faults that are printed


def main(argv: Sequence[str] | None = None) -> int:
    """Stage the pages, build the site and check its links; status 1 where a warning or a bad link is left."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    parser.add_argument("--out", type=Path, default=BUILD, help="folder of pages and site [build/site]")
    parser.add_argument("--external", action="store_true", help="instead: ask the hosts of all external links")
    arguments = parser.parse_args(argv)
    out: Path = arguments.out
    texts = texts_of()
    stage(texts, out / "pages")
    if arguments.external:
        return build(out, "linkcheck")
    if build(out, "html") or _report(links.faults(out / "html")):
        return 1
    print(f"{len(texts)} pages in {out / 'html'}; links checked")
    print(f"open {(out / 'html' / 'index.html').as_uri()} in a browser")
    return 0


def build(out: Path, builder: str) -> int:
    """Run a builder of Sphinx over the staged pages, with warnings as errors; its status."""
    from sphinx.cmd.build import main as sphinx

    conf, caches = str(Path(__file__).parent), str(out / "doctrees")
    shutil.rmtree(out / builder, ignore_errors=True)  # pages that are gone would stay
    options = ["--quiet", "--fail-on-warning", "--builder", builder, "--conf-dir", conf, "--doctree-dir", caches]
    return sphinx([*options, str(out / "pages"), str(out / builder)])


def _report(faults: Sequence[str]) -> int:
    for line in faults[:SHOWN]:
        print(line, file=sys.stderr)
    if len(faults) > SHOWN:
        print(f"and {len(faults) - SHOWN} more", file=sys.stderr)
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
