"""Verification of artifacts against their manifests: `nsmodels verify NAME ... | --all`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nsmodels.core.artifact import MANIFEST, NOTE, Manifest, data_root, read_manifest
from nsmodels.core.cli import Parser
from nsmodels.core.errors import InputError, near
from nsmodels.core.progress import readable, readable_count
from nsmodels.core.sealed import inventory, renamed
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.core.sealed.verification import Finding, findings

HEAD = f"{'state':<8}  {'files':>7}  {'size':>10}  {'seconds':>7}  name"
SHOWN = 5  # files of an artifact that are named
LISTED = 10  # artifacts


@dataclass(frozen=True)
class Verdict:
    """How the files of one artifact compare with its manifest, and how long the comparison took in seconds."""

    name: str
    manifest: Manifest | None
    found: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def state(self) -> str:
        """The worst state of a file: "missing", "changed" or "foreign", else "ok"."""
        states = {finding.state for finding in self.found}
        return next((state for state in ("missing", "changed", "foreign") if state in states), "ok")

    def text(self) -> str:
        """A line of the table, and a line for each of the first files that differ."""
        num_files, size = (len(self.manifest.files), self.manifest.num_bytes) if self.manifest else (0, 0)
        row = f"{self.state:<8}  {num_files:>7,}  {readable(size):>10}  {self.seconds:>7.1f}  {self.name}"
        lines = [row, *(f"  {finding.state}: {finding.line}" for finding in self.found[:SHOWN])]
        more = len(self.found) - SHOWN
        return "\n".join(lines + ([f"  and {readable_count(more, 'more file')}"] if more > 0 else []))


def main(argv: Sequence[str]) -> int:
    """Print the table; returns 1 when a file differs. Raises `InputError` for an unknown name."""
    arguments = _parser().parse_args(argv)
    if bool(arguments.names) == arguments.all:
        raise InputError("verify: give the names of artifacts, as in nsmodels disk, or --all")
    chosen = _all(data_root()) if arguments.all else _named(data_root(), arguments.names)
    if not chosen:
        print(f"{data_root()}: holds no artifact")
        return 0
    print(HEAD)
    verdicts = [_reported(name, folder) for name, folder in chosen.items()]
    wrong = sum(verdict.state != "ok" for verdict in verdicts)
    total = sum(verdict.manifest.num_bytes for verdict in verdicts if verdict.manifest)
    seconds = sum(verdict.seconds for verdict in verdicts)
    num = readable_count(len(verdicts), "artifact")
    print(f"{num}, {readable(total)} in {seconds:.1f} s: {f'{wrong:,} differ' if wrong else 'ok'}")
    return 1 if wrong else 0


def verdict_of(name: str, folder: Path, is_quick: bool = False) -> Verdict:
    """Compare an artifact with its manifest; `is_quick` trusts files whose state is remembered as right."""
    begun = time.monotonic()
    try:
        manifest = read_manifest(folder)
    except InputError as error:
        path = folder / MANIFEST
        return Verdict(name, None, [Finding(path, "changed" if path.exists() else "missing", str(error))])
    found = findings(folder, checksums="once" if is_quick else "all", show=sys.stderr.isatty())
    return Verdict(name, manifest, found, time.monotonic() - begun)


def artifacts(root: Path) -> dict[str, Path]:
    """Folders below a data root that are sealed, also those whose manifest is damaged, by name."""
    return {str(folder.relative_to(root)): folder for folder in inventory.folders(root) if _is_artifact(folder)}


def _parser() -> Parser:
    parser = Parser(prog="nsmodels verify", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="as in nsmodels disk, nav_replicates/3 too, or a folder"
    )
    parser.add_argument("--all", action="store_true", help="every artifact of the data root")
    return parser


def _reported(name: str, folder: Path) -> Verdict:
    verdict = verdict_of(name, folder)
    print(verdict.text(), flush=True)
    return verdict


def _all(root: Path) -> dict[str, Path]:
    return artifacts(root) if root.is_dir() else {}


def _named(root: Path, names: Sequence[str]) -> dict[str, Path]:
    known, found = _all(root), {}
    for given in names:
        name = renamed.current(given.strip("/"))
        those = {key: folder for key, folder in known.items() if f"{renamed.current(key)}/".startswith(f"{name}/")}
        if not those and _is_artifact(Path(given)):
            those = {given: Path(given)}
        if not those or not name:
            raise InputError(f"verify: no artifact '{given}' under {root}{near(given, known) or _listed(known)}")
        found |= those
    return found


def _listed(known: Iterable[str]) -> str:
    """What there is, for a name that resembles none of it."""
    names = list(known)
    more = f" and {len(names) - LISTED:,} more (nsmodels disk)" if len(names) > LISTED else ""
    return f"; there are: {', '.join(names[:LISTED])}{more}" if names else ", which holds none"


def _is_artifact(folder: Path) -> bool:
    """Whether a folder is sealed, or was: a manifest of somebody else is none of ours, a damaged one may be."""
    path = folder / MANIFEST
    if not path.is_file() or (folder / NOTE).exists():
        return False
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        return True
    except OSError:
        return False
    return manifest_of(folder) is not None or (
        isinstance(content, dict) and bool({"maker", "fingerprint"} & content.keys())
    )
