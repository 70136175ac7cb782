"""Perception of photographs: what is learnt and what is masked, what is read where, parts that can be left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nsmodels.core.errors import InputError
from nsmodels.engine.task import Shard
from nsmodels.formats.scenes.graphs import LEFT, Box, Relation, SceneGraph, Thing
from nsmodels.formats.scenes.sides import is_left_of
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.beliefs import Belief, belief_of, side_probabilities
from nsmodels.systems.natural.config import NaturalConfig
from nsmodels.systems.natural.perception.decoding import distinct, look
from nsmodels.systems.natural.perception.heads import NameHead
from nsmodels.systems.natural.perception.labels import (
    UNKNOWN,
    LabelSpace,
    Photograph,
    choose_concepts,
    collate,
    labels_of,
)
from nsmodels.systems.natural.perception.losses import object_terms
from nsmodels.systems.natural.perception.network import ObjectLogits, Perception
from nsmodels.systems.natural.perception.regions import read_regions
from nsmodels.systems.natural.perception.scoring import match_boxes, score_beliefs
from nsmodels.systems.natural.perception.sources import read_photographs, to_calibrate_on
from nsmodels.systems.natural.perception.task import PerceptionTask, drawn_images, flipped_boxes
from nsmodels.systems.natural.presets import debug
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")

WORDS = SceneVocabulary(
    names=("dog", "cat", "table", "hat"),
    parents={"dog": ("pet", "animal"), "cat": ("pet", "animal"), "table": ("furniture",)},
    attributes={"color": ("red", "green", "brown"), "pose": ("standing", "running")},
    relations=("to the left of", "to the right of", "on", "wearing"),
    locations=("beach", "street"),
    weathers=("sunny",),
)
GRAPH = SceneGraph(
    "7",
    100,
    80,
    (
        Thing("1", "dog", Box(10, 20, 20, 30), ("green", "brown"), (Relation("wearing", "3"), Relation(LEFT, "2"))),
        Thing("2", "table", Box(50, 25, 40, 30), ("running",)),
        Thing("3", "hat", Box(12, 12, 10, 10)),
    ),
    location="beach",
)
CONCEPTS = (("name", "dog"), ("name", "cat"), ("color", "red"), ("pose", "running"), ("weather", "sunny"))
SPACE = LabelSpace(WORDS, CONCEPTS)


def config_with(**values: object) -> NaturalConfig:
    return debug().with_values({f"perception.{name}": value for name, value in values.items()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GQA folder of noise images, a dog and a cat in each."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    (root / "images").mkdir()
    (root / "sceneGraphs").mkdir()
    WORDS.write(root)
    for split, numbers in (("train", range(6)), ("val", range(6, 9))):
        graphs = {}
        for number in numbers:
            Image.fromarray(rng.integers(0, 256, (80, 100, 3), np.uint8)).save(root / "images" / f"{number}.jpg")
            things = {
                f"{number}1": {"name": "dog", "x": 5, "y": 5, "w": 30, "h": 40, "attributes": ["red"]},
                f"{number}2": {"name": "cat", "x": 60, "y": 20, "w": 30, "h": 50, "attributes": []},
            }
            things[f"{number}1"]["relations"] = [{"name": "wearing", "object": f"{number}2"}]
            graphs[str(number)] = {"width": 100, "height": 80, "location": "beach", "objects": things}
        (root / "sceneGraphs" / f"{split}_sceneGraphs.json").write_text(json.dumps(graphs))
    return root


def test_the_belief_of_a_true_graph_has_its_facts_and_no_others() -> None:
    belief = belief_of(GRAPH, WORDS)
    assert belief.names.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert belief.attributes["color"].tolist() == [[0, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert [tuple(each) for each in np.argwhere(belief.relations)] == [(0, 0, 1), (3, 0, 2)]
    assert belief.locations.tolist() == [1, 0]
    assert belief.weathers.shape == (0,)
    with pytest.raises(InputError, match=r"`names` must be an array of shape \(3, 4\)"):
        Belief(**{**vars(belief), "names": belief.names[:, :2]})


def test_believed_sides_follow_the_rule_of_the_sides() -> None:
    rng = np.random.default_rng(1)
    boxes = np.concatenate([rng.integers(0, 150, (60, 2)), rng.integers(5, 70, (60, 2))], 1).astype(np.float32)
    believed = side_probabilities(boxes, 224)
    made = [Box(*(int(side) for side in box)) for box in boxes]
    rule = np.array([[i != j and is_left_of(a, b, 224) for j, b in enumerate(made)] for i, a in enumerate(made)])
    assert rule.sum() > 50
    assert ((believed >= 0.5) != rule).mean() < 0.005  # at the very limits alone
    assert believed[rule].mean() > 0.8


def test_what_is_not_labelled_is_masked() -> None:
    described, named = Photograph("a.jpg", GRAPH), Photograph("b.jpg", GRAPH, is_described=False)
    labels = [labels_of(each, SPACE, 8) for each in (described, named)]
    assert labels[0].concepts.tolist() == [1, 0, 0, 1, UNKNOWN]  # a colour is stated, no weather is
    assert labels[1].concepts.tolist() == [1, 0, UNKNOWN, UNKNOWN, UNKNOWN]
    targets = collate(labels, SPACE)
    assert targets.stated[0].tolist() == [[True, False], [False, True], [False, False]]
    logits = {"names": torch.zeros(2, 3, 4).log_softmax(-1), "stated": torch.zeros(2, 3, 2)}
    tensors = {"change": torch.zeros(2, 3, 4), "values": torch.randn(2, 3, 5), "relations": torch.randn(2, 2, 3, 3)}
    tensors |= {"features": torch.zeros(2, 3, 4)}
    given = {name: each.requires_grad_() for name, each in (logits | tensors).items()}
    sum(object_terms(ObjectLogits(**given), targets, targets.boxes).values()).backward()
    gradient = given["values"].grad
    assert gradient is not None
    # The dog's colours are known, its pose is not; the table's pose is; nothing of the hat.
    assert (gradient[0] != 0).tolist() == [[True] * 3 + [False] * 2, [False] * 3 + [True] * 2, [False] * 5]
    assert not gradient[1].any()
    assert given["relations"].grad is not None
    assert not given["relations"].grad[1].any()
    assert given["relations"].grad[0].any()


def test_concepts_are_the_most_frequent_facts() -> None:
    plain = SceneGraph("8", 10, 10, (Thing("1", "dog", Box(1, 1, 5, 5)),))
    assert choose_concepts([GRAPH, plain, plain], WORDS, 3) == (("name", "dog"), ("color", "brown"), ("color", "green"))


def test_objects_outside_are_left_out_and_of_too_many_the_largest_stay() -> None:
    things = [Thing(str(k), "cat", Box(k, 0, 5 + k, 5)) for k in range(4)] + [Thing("9", "dog", Box(-30, 5, 20, 5))]
    labels = labels_of(Photograph("a.jpg", SceneGraph("1", 100, 50, tuple(things))), SPACE, 2)
    assert labels.boxes[:, 2].tolist() == pytest.approx([0.08, 0.07])


def test_a_region_is_the_part_of_the_image_below_the_box() -> None:
    """Against Pillow, which scales the same part of smooth images."""
    y, x = np.mgrid[0:96, 0:128].astype(np.float32)
    picture = np.stack([x, y, 64 + 40 * np.sin(x / 17) + 30 * np.cos(y / 11)])
    boxes = torch.tensor([[0.5, 0.5, 0.25, 0.4], [0.4, 0.5, 0.5, 0.6], [0.5, 0.5, 0.72, 0.72]])
    images = torch.from_numpy(np.stack([np.zeros_like(picture), picture]))
    found = read_regions(images, boxes, torch.tensor([1, 1, 1]), 16).numpy()
    for box, region in zip(boxes.numpy(), found, strict=True):
        width, height = box[2] * 1.25 * 128, box[3] * 1.25 * 96
        left, top = box[0] * 128 - width / 2, box[1] * 96 - height / 2
        for channel, image in zip(region, picture, strict=True):
            part = Image.fromarray(image).resize(
                (16, 16), Image.Resampling.BOX, box=(left, top, left + width, top + height)
            )
            assert np.abs(channel - np.asarray(part)).max() < 2.5


def test_probabilities_of_names_sum_to_one_by_class() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, 32)
    for values in ({"hierarchy": True}, {"hierarchy": False}, {"hierarchy": True, "memory": 2}):
        head = NameHead(SPACE, config_with(**values).perception)
        found = head(features).exp()
        assert torch.allclose(found.sum(-1), torch.ones(2, 3), atol=1e-5)
        if head.classes is not None:
            pets = head.classes(features).softmax(-1)[..., SPACE.classes.index("pet")]
            assert torch.allclose(found[..., :2].sum(-1), pets, atol=1e-5)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("fusion", False),
        ("crop_size", 0),
        ("relation_graph", 0),
        ("hierarchy", False),
        ("memory", 2),
        ("routing", False),
    ],
)
def test_an_option_changes_the_network_and_what_it_reads(option: str, value: object) -> None:
    outputs, sizes = [], []
    for config in (config_with(), config_with(**{option: value})):
        torch.manual_seed(0)
        model = Perception(config.perception, SPACE).eval()
        boxes = torch.tensor([[[0.4, 0.5, 0.3, 0.3], [0.6, 0.5, 0.2, 0.4]]])
        found = model(torch.rand(1, 3, 48, 64) * 255, boxes[..., :2], boxes, torch.tensor([[True, True]]))
        outputs.append(found.objects.names)
        sizes.append(sum(parameter.numel() for parameter in model.parameters()))
        read = (found.heat, found.boxes, *vars(found.objects).values(), *vars(found.scene).values())
        sum(each.sum() for each in read).backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
    assert sizes[0] != sizes[1]
    assert not torch.allclose(outputs[0], outputs[1])


def test_messages_come_from_objects_that_exist() -> None:
    torch.manual_seed(0)
    model = Perception(config_with().perception, SPACE).eval()
    torch.nn.init.normal_(model.exchange[0].out[-1].weight)  # which is 0 before training
    images = torch.rand(1, 3, 48, 64) * 255
    boxes = torch.tensor([[[0.4, 0.5, 0.3, 0.3], [0.6, 0.5, 0.2, 0.4], [0.5, 0.5, 0.9, 0.9]]])
    two, three = torch.tensor([[True, True, False]]), torch.tensor([[True, True, True]])
    alone = model(images, boxes[:, :2, :2], boxes[:, :2], two[:, :2]).objects.names
    assert torch.allclose(model(images, boxes[..., :2], boxes, two).objects.names[:, :2], alone, atol=1e-5)
    assert not torch.allclose(model(images, boxes[..., :2], boxes, three).objects.names[:, :2], alone, atol=1e-5)


def test_doubles_of_a_stronger_object_are_dropped() -> None:
    boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.2], [0.51, 0.5, 0.2, 0.2], [0.5, 0.5, 0.1, 0.1], [0.8, 0.5, 0.2, 0.2]]])
    assert distinct(boxes, torch.ones(1, 4, dtype=torch.bool)).tolist() == [[True, False, True, True]]
    exists = torch.tensor([[False, True, True, True]])
    assert distinct(boxes, exists).tolist() == [[False, True, True, True]]


def test_the_truth_scores_full_marks_and_less_of_it_less() -> None:
    photographs = [Photograph("a.jpg", GRAPH)]
    truth = belief_of(GRAPH, WORDS)
    full = score_beliefs(photographs, [truth], SPACE, {"dog": 9, "cat": 9, "table": 9})
    assert set(full.values()) == {1.0}
    wrong = Belief(**{**vars(truth), "names": truth.names[:, [1, 0, 2, 3]], "presence": np.array([0.9, 0.9, 0.1])})
    less = score_beliefs(photographs, [wrong], SPACE, {})
    assert less["recall"] == pytest.approx(2 / 3)
    assert less["precision"] == 1
    assert less["names"] == 0.5
    assert less["within_class"] == 0.5  # a cat is taken for a dog, both are pets
    assert less["relation_f1"] == 0  # the only one is with the missed hat


def test_boxes_are_matched_once() -> None:
    true = np.array([[0, 0, 10, 10], [20, 0, 10, 10]], np.float32)
    found = np.array([[1, 0, 10, 10], [0, 0, 10, 10], [40, 0, 10, 10]], np.float32)
    assert match_boxes(found, true).tolist() == [[1, 0]]


def test_a_task_flips_boxes_with_images_and_repeats_itself(folder: Path) -> None:
    config = debug().with_values({"training.batch_size": 4, "training.num_workers": 0})
    task = PerceptionTask(config, folder)
    batches = [list(task.batches("train", epoch, Shard())) for epoch in (0, 0, 1)]
    assert [len(each) for each in batches] == [2, 2, 2]
    first, again, later = (each[0] for each in batches)
    assert torch.equal(first.boxes, again.boxes)
    assert torch.equal(first.draws.augmentation, again.draws.augmentation)
    assert not torch.equal(first.boxes[0], later.boxes[0])
    boxes = torch.tensor([[[0.2, 0.3, 0.1, 0.2]], [[0.2, 0.3, 0.1, 0.2]]])
    assert flipped_boxes(boxes, torch.tensor([True, False]))[:, 0, 0].tolist() == pytest.approx([0.8, 0.2])


def test_reading_an_image_gives_a_belief_within_it(folder: Path) -> None:
    task = PerceptionTask(debug(), folder)
    torch.manual_seed(0)
    model = task.build().eval()
    metrics = task.validate(model, 0)
    assert all(0 <= value <= 1 for value in metrics.values())
    boxes, presence, exists, *_ = look(model, task.images["val"].pixels)
    assert boxes.shape[:2] == presence.shape == exists.shape


def test_boxes_of_coco_name_objects_and_describe_nothing(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    document = {
        "images": [{"id": 9, "file_name": "COCO_val2014_000000000009.jpg", "width": 64, "height": 48}],
        "categories": [{"id": 18, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 9, "category_id": 18, "bbox": [1.2, 2.0, 10.6, 8.0], "iscrowd": 0},
            {"id": 2, "image_id": 9, "category_id": 18, "bbox": [0, 0, 64, 48], "iscrowd": 1},
        ],
    }
    path = tmp_path / "annotations" / "instances_val2014.json"
    path.write_text(json.dumps(document))
    (photograph,) = read_photographs(tmp_path, "val")
    assert photograph.path == str(tmp_path / "val2014" / "COCO_val2014_000000000009.jpg")
    assert not photograph.is_described
    assert [thing.box for thing in photograph.graph] == [Box(1, 2, 11, 8)]
    path.write_text("[]")
    with pytest.raises(InputError, match="expected a JSON object"):
        read_photographs(tmp_path, "val")
    with pytest.raises(InputError, match="no scene graphs of split 'test'"):
        read_photographs(tmp_path, "test")


def test_images_in_exchanged_colours_teach_names_but_no_colours(folder: Path) -> None:
    task = PerceptionTask(config_with(recolour=1.0, augment=0.0, flip=False), folder)
    plain = PerceptionTask(config_with(augment=0.0, flip=False), folder)
    (changed, *_), (before, *_) = (list(each.batches("train", 0, Shard())) for each in (task, plain))
    assert changed.draws is not None
    images = before.images.permute(0, 3, 1, 2).float()
    found = drawn_images(images, changed.draws)
    assert not torch.equal(found, images)
    assert torch.equal(found.sort(1).values, images.sort(1).values)  # the same three values in every pixel
    assert torch.equal(changed.targets.names, before.targets.names)
    assert changed.targets.known is not None
    assert changed.targets.known[1].tolist() == [[False, False, False, True, True]] * len(images)
    assert changed.targets.known[2].tolist() == [[False, True]] * len(images)
    colours = [place for place, (kind, _) in enumerate(task.space.concepts) if kind == "color"]
    assert colours
    assert bool((changed.targets.concepts[:, colours] == UNKNOWN).all())
    read = task.build()(images, before.points, before.boxes, before.targets.exists).objects
    all_of_it, less = (object_terms(read, each.targets, before.boxes) for each in (before, changed))
    assert less["attributes"] < all_of_it["attributes"]
    assert less["name"].item() == pytest.approx(all_of_it["name"].item(), rel=1e-5)


def test_probabilities_are_calibrated_on_images_that_are_not_learnt_from(folder: Path) -> None:
    photographs = read_photographs(folder, "train")
    task = PerceptionTask(debug().with_values({"calibration_images": 2}), folder)
    learnt, kept = task.images["train"].photographs, to_calibrate_on(photographs, 2, 400)
    assert (len(learnt), len(kept)) == (4, 2)
    assert not {each.path for each in learnt} & {each.path for each in kept}
    assert to_calibrate_on(photographs, 0, 3) == photographs[:3]
    with pytest.raises(InputError, match="calibration_images=6"):
        PerceptionTask(debug().with_values({"calibration_images": 6}), folder)


def test_the_curriculum_begins_with_images_of_few_objects(shared: Shared) -> None:
    config = debug().with_values({"training": {"curriculum": True, "epochs": 4}})
    task = PerceptionTask(config, shared.data("gqa"))
    limits = [task.curriculum(epoch)["curriculum/max_objects"] for epoch in range(4)]
    assert limits == sorted(limits)
    assert limits[0] < limits[2] == limits[3] == task.num_objects.max()
    seen = [sum(len(batch.images) for batch in task.batches("train", epoch, Shard())) for epoch in (0, 3)]
    assert seen == [(task.num_objects <= limits[0]).sum(), len(task.num_objects)]
    assert PerceptionTask(debug(), shared.data("gqa")).curriculum(0) == {}
