"""Places that hold copies of artifacts: folders, also behind a web server, and repositories of the Hugging Face hub."""

from __future__ import annotations

import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final
from urllib.parse import quote

from nsmodels.core import disk
from nsmodels.core.errors import InputError, TryLater
from nsmodels.core.sealed.folders import beside, discard
from nsmodels.core.sealed.manifest import MANIFEST, FileRecord, manifest_of
from nsmodels.core.transfer.download import download

if TYPE_CHECKING:
    from huggingface_hub import HfApi

HUB, DATASETS = "hf://", "datasets/"
HUB_NAME = re.compile(r"(?P<kind>datasets/)?(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")


class Place(ABC):
    """A copy of one artifact somewhere."""

    name: str

    @abstractmethod
    def fetch(self, file: str, target: Path, record: FileRecord | None) -> None:
        """Copy the file called `file` to `target`; `record`: its size and checksum where they are known.

        Raises `InputError` where there is none, or a different one.
        """

    def put(self, files: Mapping[str, Path]) -> None:
        """Make the copy consist of these files, given by their names there.

        Raises `InputError` where the place cannot be written, or is a copy of something else.
        """
        raise InputError(f"{self.name}: a web server can only be read; give a folder, or {HUB}OWNER/NAME")


def place_of(name: str, is_dataset: bool | None = None) -> Place:
    """The place that `name` is an address of: a path, `http(s)://…`, or `hf://[datasets/]OWNER/NAME[@REVISION]`.

    `is_dataset`: whether a copy of a dataset is to be put there; None where one is fetched.
    """
    if name.startswith(HUB):
        return Repository(name, is_dataset)
    if name.startswith(("http://", "https://")):
        return Web(name)
    if "://" in name:
        raise InputError(f"{name}: expected a folder, http(s)://HOST/FOLDER, or {HUB}OWNER/NAME")
    return Folder(Path(name))


@final
class Folder(Place):
    """A plain folder, on a shared disk or behind a web server."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)

    def fetch(self, file: str, target: Path, record: FileRecord | None) -> None:
        """See `Place.fetch`."""
        source = self.path / file
        if not source.is_file():
            raise InputError(f"{source}: no such file; {_not_shared(self.name)}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with disk.writing(target):
            shutil.copyfile(source, target)
        require_same(target, record, str(source))

    def put(self, files: Mapping[str, Path]) -> None:
        """See `Place.put`; the previous copy stays until the new one is whole."""
        disk.require_folder(self.path)
        if self.path.is_dir() and any(self.path.iterdir()) and not manifest_of(self.path):
            raise InputError(f"{self.path}: holds files that are no copy of an artifact; give a new or empty folder")
        partial, previous = beside(self.path, "partial-copy"), beside(self.path, "previous-copy")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            for name, source in files.items():
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                with disk.writing(partial / name):
                    shutil.copyfile(source, partial / name)
            discard(previous, self.path)
            if self.path.exists():
                self.path.rename(previous)
            partial.rename(self.path)
            shutil.rmtree(previous, ignore_errors=True)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@final
class Web(Place):
    """A folder of a web server, as `python -m http.server` serves one."""

    def __init__(self, url: str) -> None:
        self.name = url.rstrip("/")

    def fetch(self, file: str, target: Path, record: FileRecord | None) -> None:
        """See `Place.fetch`; resumed by byte range."""
        expected: dict[str, Any] = {"size": record.bytes, "sha256": record.sha256} if record else {}
        download(f"{self.name}/{quote(file)}", target, progress=False, **expected)


@final
class Repository(Place):
    """A repository of the Hugging Face hub; `HF_ENDPOINT` and `HF_TOKEN` are those of its own tools."""

    def __init__(self, name: str, is_dataset: bool | None) -> None:
        found = HUB_NAME.fullmatch(name.removeprefix(HUB))
        if not found:
            raise InputError(f"{name}: expected {HUB}OWNER/NAME or {HUB}{DATASETS}OWNER/NAME, with @REVISION if any")
        if is_dataset is not None and bool(found["kind"]) != is_dataset:
            kind = "a dataset" if is_dataset else "a model"
            raise InputError(f"{name}: is {kind} to be put there; expected {HUB}{DATASETS * is_dataset}OWNER/NAME")
        self.name, self.repo, self.revision = name, found["repo"], found["revision"]
        self.kind = "dataset" if found["kind"] else "model"

    def fetch(self, file: str, target: Path, record: FileRecord | None) -> None:
        """See `Place.fetch`; resumed by the hub's own client."""
        from httpx2 import HTTPError
        from huggingface_hub.errors import HfHubHTTPError

        root = target
        for _ in Path(file).parts:
            root = root.parent
        try:
            self._api.hf_hub_download(self.repo, file, repo_type=self.kind, revision=self.revision, local_dir=root)
        except HfHubHTTPError as error:
            raise InputError(f"{self.name}: {file}: {_line(error)}; {_not_shared(self.name)}") from None
        except (HTTPError, OSError) as error:
            raise TryLater(f"{self.name}: {file}: {_line(error)}; check the connection") from None
        require_same(target, record, f"{self.name}: {file}")

    def put(self, files: Mapping[str, Path]) -> None:
        """See `Place.put`: one commit; a repository that does not exist is made, a private one."""
        from httpx2 import HTTPError
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete
        from huggingface_hub.errors import HfHubHTTPError

        try:
            self._api.create_repo(self.repo, repo_type=self.kind, private=True, exist_ok=True)
            there = set(self._api.list_repo_files(self.repo, repo_type=self.kind, revision=self.revision))
            gone = [CommitOperationDelete(name) for name in sorted(there - files.keys() - {".gitattributes"})]
            if there - {".gitattributes", "README.md"} and MANIFEST not in there:
                raise InputError(f"{self.name}: holds files that are no copy of an artifact; give another name")
            operations = [*gone, *(CommitOperationAdd(name, str(path)) for name, path in files.items())]
            message = "Copy of a sealed artifact"
            self._api.create_commit(
                self.repo, operations, commit_message=message, repo_type=self.kind, revision=self.revision
            )
        except HfHubHTTPError as error:
            raise InputError(f"{self.name}: {_line(error)}; log in with `hf auth login` or set HF_TOKEN") from None
        except (HTTPError, OSError) as error:
            raise TryLater(f"{self.name}: {_line(error)}; check the connection") from None

    @property
    def _api(self) -> HfApi:
        from huggingface_hub import HfApi

        return HfApi(endpoint=os.environ.get("HF_ENDPOINT"))


def require_same(path: Path, record: FileRecord | None, where: str) -> None:
    """Raise `InputError`, and remove the copy, where a file differs from its size or checksum."""
    if record is None or (path.stat().st_size == record.bytes and disk.sha256_of(path) == record.sha256):
        return
    path.unlink()
    raise InputError(f"{where}: differs from its seal ({record.bytes:,} bytes); the copy is damaged, have it put again")


def _not_shared(name: str) -> str:
    return f"is {name} where `nsmodels push` has put an artifact?"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
