import gzip
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.causal_graphs import checks
from nsmodels.datasets.causal_graphs.config import CausalGraphsConfig
from nsmodels.datasets.causal_graphs.networks import bif, effects
from nsmodels.datasets.causal_graphs.prepare import prepare
from nsmodels.formats.graphs import files

# z confounds x and y; w is a second parent of y; x has two children besides.
ARCS = {"z": "", "w": "", "x": "z", "y": "x, z, w", "a": "x", "b": "w"}


def network(arcs: dict[str, str] = ARCS) -> str:
    """A .bif text over binary variables, with different numbers in every row."""
    rng = np.random.default_rng(1)
    lines = ["network test {", "}"]
    lines += [f"variable {name} {{\n  type discrete [ 2 ] {{ no, yes }};\n}}" for name in arcs]
    for name, above in arcs.items():
        parents = [word.strip() for word in above.split(",") if word.strip()]
        rows = []
        for number in range(2 ** len(parents)):
            states = ", ".join("yes" if number >> k & 1 else "no" for k in range(len(parents)))
            share = round(float(rng.uniform(0.1, 0.9)), 3)
            rows.append(f"  {f'({states})' if parents else 'table'} {share}, {1 - share:.3f};")
        given = f" | {above}" if parents else ""
        lines.append(f"probability ( {name}{given} ) {{\n" + "\n".join(rows) + "\n}")
    return "\n".join(lines) + "\n"


def test_adjustment_for_a_valid_set_is_the_effect_and_for_an_invalid_one_is_not() -> None:
    found = bif.read("test", network())
    assert found.parents["y"] == ("x", "z", "w")
    truth = effects.effect(found, "x", "y")
    for members, is_right in ((["z"], True), (["z", "w"], True), (["w"], False), ([], False)):
        result = effects.adjusted(found, "x", "y", members)
        assert result is not None
        assert np.allclose(result, truth, atol=1e-12) == is_right


def test_a_folder_of_networks_becomes_test_pairs(tmp_path: Path) -> None:
    source = tmp_path / "networks"
    source.mkdir()
    (source / "one.bif").write_text(network(), encoding="utf-8")
    larger = ARCS | {f"c{k}": "z, w" if k % 2 else "x" for k in range(8)}
    (source / "two.bif.gz").write_bytes(gzip.compress(network(larger).encode()))
    config = CausalGraphsConfig(source="networks", local_path=str(source), pairs_per_network=5)
    manifest = prepare(config, "causal_networks", tmp_path / "data")
    graphs = files.read_split(tmp_path / "data", "test")
    assert files.splits(tmp_path / "data") == ["test"]
    assert {name.split("/")[0] for name in graphs.ids} <= {"one", "two"}
    assert manifest.metrics["effects"]["one"]["largest_error_of_valid_sets"] < 1e-12
    for check in (checks.schema, checks.twins_are_equal, checks.labels_agree, checks.effects_agree):
        assert check(tmp_path / "data") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("probability ( x | z )", "probability ( x | q )"), "network bad, table of x: unknown variable 'q'"),
        (("[ 2 ] { no, yes }", "[ 3 ] { no, yes }"), "network bad, variable z: 2 states; expected 3"),
        (("probability ( b | w )", "nothing ( b | w )"), "network bad, variable b: its table is missing"),
        (("probability ( z )", "probability ( z | y )"), "network bad: cycle through"),
        (("probability ( b | w )", "probability ( y | w )"), "network bad, table of y: a second one"),
        (("variable b ", "variable z "), "network bad, variable z: declared twice"),
    ],
)
def test_faults_of_a_file_name_the_network_and_the_variable(change: tuple[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        bif.read("bad", network().replace(*change))
    assert message in str(caught.value)


def test_faults_of_a_table_name_the_row() -> None:
    found = bif.read("bad", network().replace("(yes)", "(perhaps)"))
    with pytest.raises(InputError, match=r"network bad, table of x: row \(perhaps\): 'perhaps' is no state of z"):
        found.table("x")
    with pytest.raises(InputError, match=r"local_path .*: no \.bif or \.bif\.gz file"):
        prepare(CausalGraphsConfig(source="networks", local_path="/nowhere"), "causal_networks", Path("unused"))
