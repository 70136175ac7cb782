"""Several datasets in one training: shares, order, what a dataset has no word for, folders of the wrong kind."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.engine.task import Shard
from nsmodels.formats.scenes.graphs import Box, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.folders import folders_of, kind_of
from nsmodels.systems.natural.perception.labels import UNKNOWN, LabelSpace, Photograph, collate, labels_of
from nsmodels.systems.natural.perception.losses import loss_terms, name_surprise
from nsmodels.systems.natural.perception.mixing import Knowledge, mixed_order, shares_of, union_of
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.task import PerceptionTask, masked
from nsmodels.systems.natural.presets import debug
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = [900, 100]
FIRST = SceneVocabulary(
    names=("dog", "hat"), attributes={"color": ("red", "green")}, relations=("on",), locations=("beach",)
)
SECOND = SceneVocabulary(names=("dog", "person"), parents={"person": ("being",)})


@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
def test_shares_follow_the_temperature(temperature: float) -> None:
    wanted = np.array([900 ** (1 / temperature), 100 ** (1 / temperature)])
    assert shares_of(SIZES, temperature) == pytest.approx(wanted / wanted.sum())
    order = mixed_order(SIZES, temperature, 1, 0)
    assert len(order) == 1000
    assert (order >= 900).mean() == pytest.approx(shares_of(SIZES, temperature)[1], abs=1e-3)


def test_without_temperature_an_epoch_is_a_permutation() -> None:
    assert sorted(mixed_order(SIZES, 1.0, 3, 2).tolist()) == list(range(1000))


def test_no_image_is_drawn_twice_before_each_is_drawn_once() -> None:
    drawn = Counter(np.concatenate([mixed_order(SIZES, 2.0, 5, epoch) for epoch in range(6)]).tolist())
    for rows in (range(900), range(900, 1000)):
        counts = [drawn[row] for row in rows]
        assert max(counts) - min(counts) <= 1, counts
    assert drawn[950] > drawn[50]


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    again = mixed_order(SIZES, 2.0, 5, 3)
    mixed_order(SIZES, 2.0, 5, 0)
    assert mixed_order(SIZES, 2.0, 5, 3).tolist() == again.tolist()
    assert mixed_order(SIZES, 2.0, 6, 3).tolist() != again.tolist()
    assert mixed_order(SIZES, 2.0, 5, 4).tolist() != again.tolist()


def test_words_are_united_and_the_first_decides() -> None:
    other = SceneVocabulary(names=("cat",), attributes={"tint": ("red", "blue")}, parents={"cat": ("pet",)})
    found = union_of([FIRST, SECOND, other])
    assert found.names == ("dog", "hat", "person", "cat")
    assert found.attributes == {"color": ("red", "green"), "tint": ("blue",)}
    assert found.parents == {"person": ("being",), "cat": ("pet",)}
    assert union_of([FIRST, FIRST]) is FIRST


def photographs() -> tuple[LabelSpace, list[Photograph]]:
    things = (Thing("1", "dog", Box(5, 5, 30, 30), ("red",)), Thing("2", "hat", Box(40, 8, 12, 10)))
    graphs = [SceneGraph("1", 64, 48, things, location="beach"), SceneGraph("2", 64, 48, things[:1])]
    space = LabelSpace(union_of([FIRST, SECOND]), (("name", "hat"), ("name", "person"), ("color", "red")))
    return space, [Photograph("a.jpg", graphs[0]), Photograph("b.jpg", graphs[1], is_described=False)]


def test_what_a_dataset_has_no_word_for_is_unknown() -> None:
    space, both = photographs()
    found = [
        masked(labels_of(photo, space, 8), Knowledge.of(words, space))
        for photo, words in zip(both, (FIRST, SECOND), strict=True)
    ]
    assert found[0].concepts.tolist() == [1, UNKNOWN, 1]  # GQA has no "person"
    assert found[1].concepts.tolist() == [UNKNOWN, 0, UNKNOWN]  # COCO has no "hat", and says that nobody is there
    targets = collate(found, space)
    logits = torch.zeros(2, 2, 3, requires_grad=True)
    (name_surprise(logits.log_softmax(-1), targets) * targets.exists).sum().backward()
    assert logits.grad is not None
    assert (logits.grad[0, :, 2] == 0).all()  # "person" is no rival where the dataset has no such name
    assert logits.grad[1, 0, 1] == 0
    assert logits.grad[1, 0, 2] > 0


def test_an_image_of_vqa_does_not_move_the_weights_of_attributes() -> None:
    space, (described, boxed) = photographs()
    torch.manual_seed(0)
    model = Perception(debug().perception, space)
    moved = {}
    for name, photo, words in (("gqa", described, FIRST), ("vqa", boxed, SECOND)):
        model.zero_grad()
        labels = masked(labels_of(photo, space, 8), Knowledge.of(words, space))
        targets = collate([labels], space)
        images = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1)) * 255
        found = model(images, targets.boxes[..., :2], targets.boxes, targets.exists)
        covered = torch.tensor(model.layout.covered)
        terms = loss_terms(found, targets, targets.boxes[..., :2], targets.boxes, covered, 1.0)
        sum(terms.values()).backward()  # type: ignore[union-attr]
        weights = dict(model.facts.named_parameters())
        gradients = [weights[key].grad for key in ("plain.weight", "layers.3.weight")]
        moved[name] = sum(float(each.abs().sum()) for each in gradients if each is not None)
        classes = model.names.classes
        assert classes is not None
        assert float(classes.weight.grad.abs().sum()) > 0  # type: ignore[union-attr]
    assert moved["gqa"] > 0
    assert moved["vqa"] == 0


def test_a_mixed_task_resumes_with_the_batches_it_would_have_had(shared: Shared) -> None:
    config = debug().with_values({"dataset": "gqa_vqa", "mixing_temperature": 3.0, "training.num_workers": 0})
    task = PerceptionTask(config, shared.data("gqa"), shared.data("vqa"))
    whole = list(task.batches("train", 1, Shard()))
    rest = list(task.batches("train", 1, Shard(start=2)))
    assert len(rest) == len(whole) - 2 > 0
    for one, other in zip(whole[2:], rest, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.boxes, other.boxes)
    described = torch.cat([batch.targets.described for batch in whole])
    assert 0 < int(described.sum()) < len(described)


def test_folders_are_recognised(shared: Shared, tmp_path: Path) -> None:
    gqa, vqa = shared.data("gqa"), shared.data("vqa")
    assert folders_of("gqa_vqa", [vqa, gqa]).paths == (gqa, vqa)
    assert folders_of("vqa", [vqa]).vqa == vqa
    plain = tmp_path / "released"
    (plain / "sceneGraphs").mkdir(parents=True)
    assert kind_of(plain) == "gqa"
    (plain / "v2_OpenEnded_mscoco_val2014_questions.json").touch()
    assert kind_of(plain) == "vqa"


@pytest.mark.parametrize(
    ("dataset", "kinds", "line"),
    [
        ("vqa", ["gqa"], "'vqa' needs a folder of VQA v2 .*gqa is gqa; or set dataset to gqa"),
        ("gqa", ["vqa"], "'gqa' needs a folder of GQA"),
        ("gqa_vqa", ["gqa"], "'gqa_vqa' needs a folder of VQA v2"),
        ("gqa", ["gqa", "vqa"], "not used by dataset 'gqa'"),
        ("vqa", ["vqa", "vqa"], "both of VQA v2"),
        ("gqa", ["mazes"], "holds no data of a known kind; give a folder of GQA .*, VQA v2 .* or CLEVR"),
    ],
)
def test_folders_of_the_wrong_kind_are_refused(shared: Shared, dataset: str, kinds: list[str], line: str) -> None:
    with pytest.raises(InputError, match=line) as caught:
        folders_of(dataset, [shared.data(kind) for kind in kinds])
    assert "\n" not in str(caught.value)
    assert re.search(r"dataset|give|leave", str(caught.value))


def test_masks_are_left_out_of_one_dataset(shared: Shared) -> None:
    task = PerceptionTask(replace_workers(), shared.data("vqa"))
    batch = next(iter(task.batches("train", 0, Shard())))
    assert batch.targets.known is None


def replace_workers():
    return debug().with_values({"dataset": "vqa", "training.num_workers": 0})
