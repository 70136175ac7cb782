"""Croissant metadata of a dataset (MLCommons, version 1.0): licence, files with checksums, columns of its tables."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

from nsmodels.core.artifact import Manifest
from nsmodels.core.sealed import licences

NAME = "croissant.json"
ADDRESSES = {
    licences.GENERATED: "https://creativecommons.org/publicdomain/zero/1.0/",
    licences.CC_BY: "https://creativecommons.org/licenses/by/4.0/",
}
FORMATS = {
    ".jpg": "image/jpeg", ".png": "image/png", ".json": "application/json", ".parquet": "application/x-parquet",
    ".npz": "application/x-npz", ".npy": "application/x-npy", ".txt": "text/plain", ".wav": "audio/wav",
}  # fmt: skip
FEW = 20  # files of one kind in one folder: listed one by one; more are described as a set
COPY = "copy"  # the folder that all sets of files are in
CONTEXT: dict[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty", "samplingRate": "cr:samplingRate",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
    "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet",
    "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
    "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
    "transform": "cr:transform",
}  # fmt: skip
TYPES = {"float": "sc:Float", "double": "sc:Float", "halffloat": "sc:Float", "bool": "sc:Boolean"}


def metadata(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """The description of the dataset in `folder`, as JSON-LD."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest.key.replace("/", "-"),
        "description": f"{manifest.source}. Made by {manifest.maker}, commit {manifest.commit}, seed {manifest.seed}.",
        "license": ADDRESSES.get(manifest.licence, manifest.licence or "not recorded"),
        "url": "manifest.json",
        "version": f"1.0.0+{manifest.fingerprint}",
        "datePublished": manifest.created,
        "citeAs": f"{manifest.key}, made by nsmodels at commit {manifest.commit}",
        "distribution": _distribution(manifest),
        "recordSet": [_table(folder, name) for name in manifest.files if name.endswith(".parquet")],
    }


def _distribution(manifest: Manifest) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in manifest.files:
        path = PurePosixPath(name)
        groups[str(path.parent), path.suffix.lower()].append(name)
    found: list[dict[str, Any]] = []
    for (parent, suffix), names in groups.items():
        is_few = len(names) <= FEW or suffix == ".parquet"
        found += [_file(name, manifest) for name in names] if is_few else [_set(parent, suffix)]
    return ([_copy(manifest)] if any(each["@type"] == "cr:FileSet" for each in found) else []) + found


def _file(name: str, manifest: Manifest) -> dict[str, Any]:
    record = manifest.files[name]
    return {
        "@type": "cr:FileObject", "@id": _id(name), "name": name, "contentUrl": name, "sha256": record.sha256,
        "contentSize": f"{record.bytes} B", "encodingFormat": _format(PurePosixPath(name).suffix.lower()),
    }  # fmt: skip


def _set(parent: str, suffix: str) -> dict[str, Any]:
    files = f"*{suffix}" if parent == "." else f"{parent}/*{suffix}"
    return {
        "@type": "cr:FileSet", "@id": _id(files), "name": files, "includes": files,
        "containedIn": {"@id": COPY}, "encodingFormat": _format(suffix),
    }  # fmt: skip


def _copy(manifest: Manifest) -> dict[str, Any]:
    """The folder of the copy. Checksums of its files are in the manifest; a folder has none of its own."""
    return {
        "@type": "cr:FileObject", "@id": COPY, "name": COPY, "contentUrl": ".", "encodingFormat": "git+https",
        "description": "the folder of this file; manifest.json lists the SHA-256 of each file",
        "sha256": "https://github.com/mlcommons/croissant/issues/80",
    }  # fmt: skip


def _id(name: str) -> str:
    """A name as an identifier, which must not have blanks."""
    return "_".join(name.split())


def _format(suffix: str) -> str:
    return FORMATS.get(suffix, "application/octet-stream")


def _table(folder: Path, name: str) -> dict[str, Any]:
    import pyarrow.parquet as parquet

    columns = parquet.read_schema(folder / name)
    return {
        "@type": "cr:RecordSet", "@id": f"records/{_id(name)}", "name": f"records/{name}",
        "field": [_field(name, column.name, column.type) for column in columns],
    }  # fmt: skip


def _field(table: str, column: str, kind: Any) -> dict[str, Any]:
    import pyarrow.types as types

    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    inner = kind.value_type if is_list else kind
    known = "sc:Integer" if types.is_integer(inner) else TYPES.get(str(inner), "sc:Text")
    place = f"{table}/{column}"
    return {
        "@type": "cr:Field", "@id": _id(place), "name": place, "dataType": known,
        **({"repeated": True} if is_list else {}),
        "source": {"fileObject": {"@id": _id(table)}, "extract": {"column": column}},
    }  # fmt: skip
