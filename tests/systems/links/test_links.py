"""Link prediction: ranks by hand, hidden edges, batches, ComplEx by its formula, predictions by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.datasets.knowledge_bases.bases import Base
from nsmodels.engine.task import Shard
from nsmodels.systems.links import SYSTEM
from nsmodels.systems.links.config import PRESETS, EvaluationConfig, debug, presets_of
from nsmodels.systems.links.evaluation import ranking
from nsmodels.systems.links.network.embeddings import SCALE, ComplEx
from nsmodels.systems.links.network.links import LinkNetwork, Queries
from nsmodels.systems.links.queries import Answers, both_ways
from nsmodels.systems.links.training.base import TrainingBase
from nsmodels.systems.links.training.task import LinksTask, reciprocal_ranks
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")
TRAIN = [("a", "r", "b"), ("b", "r", "c"), ("c", "r", "d"), ("a", "s", "c"), ("b", "s", "d"), ("d", "s", "a")]
BASE = Base.of("tiny", {"train": TRAIN, "val": [("a", "r", "c")], "test": [("a", "s", "b")]})


def task_of(phase: str, share: float = 0.5) -> LinksTask:
    config = debug().with_values({"relational.dim": 6})
    return LinksTask(phase, TrainingBase(BASE, 0, share), config, config.relational_training)


def built(phase: str) -> tuple[LinksTask, LinkNetwork]:
    torch.manual_seed(0)
    task = task_of(phase)
    network = task.build()
    assert isinstance(network, LinkNetwork)
    return task, network


def test_ranks_leave_out_other_answers_and_take_the_middle_of_ties() -> None:
    queries = np.array([[0, 0, 1], [0, 0, 2], [1, 1, 3]])
    scores = np.array([[5, 3, 9, 3, 1.0], [5, 3, 9, 3, 1], [2, 2, 2, 2, 2]])
    known = Answers(queries, 1)
    assert ranking.ranks(lambda some: scores, queries, known, 5).tolist() == [2.5, 1, 3]
    batch = Queries(
        *[torch.zeros(0)] * 3, torch.tensor([1, 2, 3]), *[torch.zeros(0)], torch.tensor(known.others(queries, 5))
    )
    assert reciprocal_ranks(torch.tensor(scores), batch).tolist() == pytest.approx([1 / 2.5, 1, 1 / 3])


def test_a_constant_score_ranks_as_chance() -> None:
    queries = both_ways(BASE.triples["train"], 2)
    known = Answers(queries, 2)
    found = ranking.ranks(lambda some: np.zeros((len(some), 4)), queries, known, 4)
    num = [4 - len(known.of(row[None, 0], row[None, 1])[1]) + 1 for row in queries]
    assert found.tolist() == [(n + 1) / 2 for n in num]
    rng = np.random.default_rng(0)
    drawn = [ranking.ranks(lambda some: rng.random((len(some), 4)), queries, known, 4) for _ in range(500)]
    assert ranking.by_chance(queries, known, 4)["mrr"] == pytest.approx(np.mean(1 / np.array(drawn)), abs=0.015)


def test_frequency_counts_the_answers_of_a_relation() -> None:
    score = ranking.frequency(both_ways(BASE.triples["train"], 2), 2, 4)
    assert score(np.array([[0, 0, 0], [0, 3, 0]])).tolist() == [[0, 1, 1, 1], [1, 1, 0, 1]]


def test_complex_is_its_formula() -> None:
    torch.manual_seed(0)
    model = ComplEx(4, 2, 3)
    e, w = (torch.complex(*(SCALE * each.detach()).chunk(2, 1)) for each in (model.entities, model.relations))
    wanted = torch.stack([(e[1] * w[2] * e[o].conj()).sum().real for o in range(4)])
    torch.testing.assert_close(model(torch.tensor([1]), torch.tensor([2]))[0], wanted)
    norm = (e[1].abs() ** 3 + w[2].abs() ** 3 + e[3].abs() ** 3).sum()
    torch.testing.assert_close(
        model.norm(torch.tensor([1]), torch.tensor([2]), torch.tensor([3])), norm, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("phase", ["relational", "hybrid"])
def test_hidden_edges_are_as_if_they_were_not_there(phase: str) -> None:
    """Also those of one source of a batch do not change the scores of another."""
    task, network = built(phase)
    batch = next(iter(task.batches("train", 0, Shard())))
    together = network(batch).all
    for place in range(len(batch.sources)):
        mine = batch.place == place
        hidden = {tuple(row) for row in batch.hidden[:3, batch.hidden[3] == place].T.tolist()}
        seen = [row for row in BASE.triples["train"].tolist() if tuple(row) not in hidden]
        assert len(seen) < len(TRAIN)
        alone = LinkNetwork(phase, **(task.settings()["network"] | {"num_triples": len(seen)}))
        state = {name: value for name, value in network.state_dict().items() if name != "relational.triples"}
        alone.load_state_dict(state | {"relational.triples": torch.tensor(seen)})
        # Degrees count hidden edges, which a network does not see: they are those of the whole graph in both.
        assert alone.relational is not None
        assert network.relational is not None
        alone.relational.degrees = network.relational.degrees
        nothing = torch.zeros(4, 0, dtype=torch.int64)
        some = Queries(batch.sources[[place]], torch.zeros(int(mine.sum()), dtype=torch.int64), batch.relation[mine],
                       batch.answer[mine], nothing, batch.others[mine])  # fmt: skip
        torch.testing.assert_close(alone(some).all, together[mine], rtol=1e-4, atol=1e-5)


def test_every_query_of_a_batch_is_hidden_both_ways() -> None:
    for batch in task_of("hybrid").batches("train", 3, Shard()):
        source = batch.sources[batch.place]
        inverse = (batch.relation + 2) % 4
        wanted = torch.stack([torch.cat([source, batch.answer]), torch.cat([batch.relation, inverse]),
                              torch.cat([batch.answer, source]), torch.cat([batch.place, batch.place])])  # fmt: skip
        assert torch.equal(batch.hidden, wanted)
        assert len(batch.answer) >= len(batch.sources)


def test_presets_of_a_base() -> None:
    assert {label: preset().base for label, preset in presets_of("nations").items()} == dict.fromkeys(
        PRESETS, "nations"
    )


def test_triples_are_completed_by_name(shared: Shared, capsys) -> None:
    folder = shared.model("links")
    found = SYSTEM.load(folder, "cpu").predict("uncle of", tail="person 05")
    assert sum(each.probability for each in found) == pytest.approx(1)
    assert [each.probability for each in found] == sorted((each.probability for each in found), reverse=True)
    capsys.readouterr()
    words = ["links", "predict", "--checkpoint", str(folder), "--relation"]
    assert main([*words, "uncle of", "--head", "person 05", "--number", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main([*words, "uncle off", "--head", "person 05"]) == 2
    assert "has none of that name; did you mean uncle of" in capsys.readouterr().err
    assert main([*words, "uncle of"]) == 2
    assert "give either the head or the tail" in capsys.readouterr().err


def test_an_unknown_base_is_refused_before_the_training(shared: Shared, tmp_path: Path) -> None:
    command = [
        "links",
        "train",
        "--preset",
        "debug",
        "--base",
        "kinship",
        "--data",
        str(shared.data("knowledge_bases")),
    ]
    assert main([*command, "--out", str(tmp_path / "x")]) == 2
    with pytest.raises(InputError, match="no base 'kinship'; there are kinships, nations, umls; did you mean kinships"):
        TrainingBase.load(shared.data("knowledge_bases"), "kinship", 0, 0.5)


def test_the_report_has_every_network_and_rule(shared: Shared, tmp_path: Path) -> None:
    data = str(shared.data("knowledge_bases"))
    command = ["links", "evaluate", "--checkpoint", str(shared.model("links")), "--data", data, "--device", "cpu"]
    assert main([*command, "--json", str(tmp_path / "report.json")]) == 0
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(report["rows"]) == ["hybrid", "relational", "complex"]
    assert report["baselines"].keys() == {"frequency", "chance"}
    for row in report["rows"].values():
        low, high = row["mrr"]["interval"]
        assert 0 <= low <= row["mrr"]["value"] <= high <= 1


def test_scores_are_ranked_among_those_of_their_base(shared: Shared) -> None:
    given = Inputs.of({"knowledge_bases": shared.data("knowledge_bases")}, model=("links", shared.model("links")))
    order = Order("links_evaluation", EvaluationConfig(device="cpu"), given, Path())
    assert {each.split for each in SYSTEM.score(order).outcomes} == {"umls test"}
