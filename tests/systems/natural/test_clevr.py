"""CLEVR beside GQA and VQA: programs of functions, soft execution, masks, one training of three folders."""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.__main__ import main
from nsmodels.core import artifact, disk
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.datasets.clevr.files.format import each_scene
from nsmodels.datasets.clevr.graphs import VOCABULARY, each_graph
from nsmodels.datasets.clevr.questions.executor import IllPosed, compile, execute
from nsmodels.engine import checkpoint, phase
from nsmodels.engine.phases import Phases
from nsmodels.formats.scenes.graphs import Box, Relation, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural import SYSTEM
from nsmodels.systems.natural.answering.functions import FunctionReasoner
from nsmodels.systems.natural.answering.loading import load
from nsmodels.systems.natural.answering.solids import FunctionExecutor
from nsmodels.systems.natural.beliefs import Belief, belief_of, restricted
from nsmodels.systems.natural.config import NaturalEvaluation
from nsmodels.systems.natural.folders import folders_of, kind_of
from nsmodels.systems.natural.language.asking import each_question, nodes_of, steps_of
from nsmodels.systems.natural.language.mentions import Entry, Mention
from nsmodels.systems.natural.language.programs.derivation import Derivation, choices
from nsmodels.systems.natural.language.programs.grammar import Grammar, normal, program_of, tree_of
from nsmodels.systems.natural.language.tokens import words_of
from nsmodels.systems.natural.perception.labels import LabelSpace, Photograph, collate, labels_of
from nsmodels.systems.natural.perception.losses import loss_terms
from nsmodels.systems.natural.perception.mixing import Knowledge, union_of
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.task import masked, mirrored, mirrored_rows
from nsmodels.systems.natural.presets import debug
from tests.children import Child, signal_at_save
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")

GRAMMAR = Grammar(VOCABULARY)
PLAIN = ["--device", "cpu", "--no-baseline.is-enabled"]
OTHER = SceneVocabulary(
    names=("dog", "hat"),
    parents={"dog": ("animal",)},
    attributes={"color": ("red", "pink"), "age": ("young", "old")},
    relations=("on", "behind"),
    locations=("beach",),
)


def test_answers_in_true_scenes_are_those_of_the_data_and_of_their_executor(shared: Shared) -> None:
    data, functions, num = shared.data("clevr"), set(), 0
    for split in ("train", "val"):
        scenes = {f"{split}/{scene['image_filename']}": compile(scene) for scene in each_scene(data, split)}
        graphs = {f"{split}/{graph.image}": graph for _, graph in each_graph(data, split)}
        found = {image: FunctionExecutor(belief_of(graph, VOCABULARY)) for image, graph in graphs.items()}
        for question in each_question(data, split):
            program = normal(question.program, VOCABULARY)
            answer = found[question.image].answer(program)
            assert answer.best == question.answer == execute(nodes_of(program), scenes[question.image])
            assert answer.confidence == pytest.approx(1.0)
            assert answer.posed == pytest.approx(1.0)
            functions |= {step.operation for step in program}
            num += 1
    assert num > 100
    assert functions == set(VOCABULARY.functions)


def random_program(rng: np.random.Generator, longest: int = 24) -> Derivation:
    """A well-typed program of functions, of whatever sense."""
    entries = dict.fromkeys(entry for found in GRAMMAR.phrases.by_words.values() for entry in found)
    mentions = [Mention(0, 1, Entry(*each)) for each in entries]
    derivation = Derivation(GRAMMAR, mentions)
    while derivation.num_open:
        slot, slack = derivation.slot, derivation.slack(longest)
        tokens = np.flatnonzero(GRAMMAR.fits[slot] & (GRAMMAR.costs <= slack)).tolist()
        groups = GRAMMAR.groups_of[GRAMMAR.slots[slot]]
        pointed = [len(GRAMMAR.tokens) + k for k, each in enumerate(mentions) if each.entry.group in groups]
        derivation.push(int(rng.choice([*tokens, *pointed])))
    return derivation


def test_any_well_typed_program_means_the_same_to_both_executors(shared: Shared) -> None:
    data, rng = shared.data("clevr"), np.random.default_rng(0)
    scenes = list(each_scene(data, "val"))
    graphs = [graph for _, graph in each_graph(data, "val")]
    num = 0
    for _ in range(1000):
        program = program_of(random_program(rng).tree(), VOCABULARY)
        k = int(rng.integers(len(scenes)))
        found = FunctionExecutor(belief_of(graphs[k], VOCABULARY)).answer(program)
        try:
            wanted = execute(nodes_of(program), scenes[k])
        except IllPosed:
            assert found.posed == pytest.approx(0.0)
            continue
        assert found.best == wanted
        assert found.confidence == pytest.approx(1.0)
        num += 1
    assert num > 20


def test_programs_survive_their_derivation_in_the_order_of_the_question() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        derivation = random_program(rng)
        program = normal(program_of(derivation.tree(), VOCABULARY), VOCABULARY)
        again = Derivation(GRAMMAR, derivation.mentions)
        for choice in choices(tree_of(program, VOCABULARY), GRAMMAR, derivation.mentions):
            again.push(choice[0])
        assert normal(program_of(again.tree(), VOCABULARY), VOCABULARY) == program
        assert steps_of(nodes_of(program)) == program
    one, other = (
        (("filter_color", "red"), ("filter_size", "large")),
        (("filter_size", "large"), ("filter_color", "red")),
    )
    # The release has the parts in the order of the question, which repeats words: nothing says which mention is meant.
    assert [normal(counted(each), VOCABULARY) for each in (one, other)] == [counted(one), counted(other)]
    with pytest.raises(InputError, match="unknown function; did you mean filter_color"):
        tree_of(counted((("filter_colour", "red"),)), VOCABULARY)


def counted(filters: tuple[tuple[str, str], ...]):
    nodes = [{"function": "scene", "inputs": [], "value_inputs": []}]
    nodes += [{"function": name, "inputs": [k], "value_inputs": [value]} for k, (name, value) in enumerate(filters)]
    return steps_of([*nodes, {"function": "count", "inputs": [len(filters)], "value_inputs": []}])


def uncertain(rng: np.random.Generator, num: int) -> Belief:
    """A belief in which nothing is certain."""
    attributes = {kind: rng.dirichlet(np.ones(len(v)), num).astype(np.float32) for kind, v in
                  VOCABULARY.attributes.items()}  # fmt: skip
    relations = rng.random((4, num, num)).astype(np.float32) * (1 - np.eye(num, dtype=np.float32))
    names, none = rng.dirichlet(np.ones(3), num).astype(np.float32), np.zeros(0, np.float32)
    presence, boxes = rng.random(num).astype(np.float32), np.ones((num, 4), np.float32)
    return Belief(VOCABULARY, (240, 160), presence, boxes, names, attributes, relations, none, none)


def test_counts_are_those_of_all_possible_sets() -> None:
    rng = np.random.default_rng(2)
    belief = uncertain(rng, 6)
    facts = FunctionExecutor(belief).facts
    for values in facts.attributes.values():
        assert values.sum(1) == pytest.approx(np.ones(6))
    members = facts.presence * facts.attributes["color"][:, VOCABULARY.attributes["color"].index("red")]
    wanted = dict.fromkeys(map(str, range(7)), 0.0)
    for present in itertools.product((0, 1), repeat=6):
        wanted[str(sum(present))] += float(np.prod([m if p else 1 - m for m, p in zip(members, present, strict=True)]))
    found = FunctionExecutor(belief).answer(counted((("filter_color", "red"),)))
    assert found.distribution == pytest.approx(wanted)


def test_a_relation_is_read_both_ways_round() -> None:
    rng = np.random.default_rng(3)
    belief = uncertain(rng, 4)
    facts = FunctionExecutor(belief).facts
    left, right = (belief.relations[VOCABULARY.relations.index(name)] for name in ("left", "right"))
    assert facts.relations["left"] == pytest.approx((left.T + right) / 2)  # [anchor, found]
    assert facts.relations["right"] == pytest.approx(facts.relations["left"].T)


def both_kinds() -> tuple[LabelSpace, dict[str, tuple[Photograph, SceneVocabulary]]]:
    relations = (Relation("left", "1"), Relation("behind", "1"))
    solids = (
        Thing("0", "cube", Box(5, 5, 30, 30), ("large", "red", "metal"), relations),
        Thing("1", "sphere", Box(40, 8, 12, 10), ("small", "gray", "rubber"), (Relation("right", "0"),)),
    )
    things = (
        Thing("0", "dog", Box(5, 5, 30, 30), ("pink", "old"), (Relation("on", "1"),)),
        Thing("1", "hat", Box(40, 8, 12, 10), ("red",)),
    )
    concepts = (("name", "cube"), ("name", "dog"), ("color", "red"), ("color", "gray"), ("color", "pink"))
    photographs = {
        "clevr": (Photograph("a.png", SceneGraph("1", 64, 48, solids)), VOCABULARY),
        "gqa": (Photograph("b.jpg", SceneGraph("2", 64, 48, things, "beach")), OTHER),
    }
    return LabelSpace(union_of([OTHER, VOCABULARY]), concepts), photographs


def test_an_image_moves_no_weight_of_a_word_that_its_dataset_lacks() -> None:
    space, photographs = both_kinds()
    for kind, (photograph, words) in photographs.items():
        torch.manual_seed(0)
        model = Perception(debug().perception, space)
        known = Knowledge.of(words, space)
        targets = collate([masked(labels_of(photograph, space, 8), known)], space)
        images = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1)) * 255
        found = model(images, targets.boxes[..., :2], targets.boxes, targets.exists)
        covered = torch.tensor(model.layout.covered)
        terms = loss_terms(found, targets, targets.boxes[..., :2], targets.boxes, covered, 1.0)
        outputs = [found.objects.names, found.objects.values, found.objects.stated, found.objects.relations]
        outputs.append(found.scene.concepts)
        loss = torch.stack(list(terms.values())).sum()
        moved = torch.autograd.grad(loss, outputs, retain_graph=True)
        masks = (known.values, known.types, known.relations, known.concepts)
        for gradient, mask, axis in zip(moved[1:], masks, (2, 2, 1, 1), strict=True):
            each = gradient.abs().sum([k for k in range(gradient.dim()) if k != axis])
            assert (each[torch.from_numpy(~mask)] == 0).all(), kind
            assert (each[torch.from_numpy(mask)] > 0).any(), kind
        # Names are probabilities: those of other datasets are left out of the sum, and so their logits do not move.
        (weights,) = torch.autograd.grad(loss, [model.names.names.weight])
        others = [k for k, name in enumerate(space.words.names) if name not in words.names]
        assert weights[others].abs().max() < 1e-6


def test_what_is_read_is_in_the_words_of_the_dataset() -> None:
    space, photographs = both_kinds()
    photograph, _ = photographs["clevr"]
    whole = belief_of(photograph.graph, space.words)
    doubtful = replace(whole, names=np.full_like(whole.names, 1 / len(space.words.names)))
    found = restricted(doubtful, VOCABULARY)
    assert found.names == pytest.approx(np.full((2, 3), 1 / 3))
    assert set(found.attributes) == set(VOCABULARY.attributes)
    assert len(found.locations) == 0
    assert FunctionExecutor(restricted(whole, VOCABULARY)).answer(counted((("filter_shape", "cube"),))).best == "1"
    assert restricted(whole, space.words) is whole


def test_left_is_right_in_the_mirror() -> None:
    space, photographs = both_kinds()
    targets = collate([labels_of(photographs["clevr"][0], space, 8)] * 2, space)
    found = mirrored(targets, torch.tensor([True, False]), mirrored_rows(space.relations))
    left, right, behind = (space.relations.index(name) for name in ("left", "right", "behind"))
    assert torch.equal(found.relations[0, left], targets.relations[0, right])
    assert torch.equal(found.relations[0, right], targets.relations[0, left])
    assert torch.equal(found.relations[0, behind], targets.relations[0, behind])
    assert torch.equal(found.relations[1], targets.relations[1])
    assert found.boxes[0, 0, 0] == pytest.approx(1 - float(targets.boxes[0, 0, 0]))


def test_questions_mention_what_their_programs_name(shared: Shared) -> None:
    lacking = []
    for question in each_question(shared.data("clevr"), "val"):
        mentioned = {mention.entry for mention in GRAMMAR.phrases.mentions(words_of(question.text))}
        lacking += [step for step in question.program if step.relations and Entry("relation", step.relations[0])
                    not in mentioned]  # fmt: skip
    assert not lacking


@pytest.mark.parametrize(
    ("dataset", "kinds", "line"),
    [
        ("all", ["gqa", "vqa"], "'all' needs a folder of CLEVR"),
        ("clevr", ["gqa"], "'clevr' needs a folder of CLEVR .*; or set dataset to gqa"),
        ("clevr", ["clevr", "clevr"], "both of CLEVR .*; give one"),
        ("gqa_vqa", ["gqa", "vqa", "clevr"], "is a folder of CLEVR .*, not used by dataset 'gqa_vqa'; leave it out"),
    ],
)
def test_folders_that_do_not_fit_are_refused_in_a_line(
    shared: Shared, dataset: str, kinds: list[str], line: str
) -> None:
    with pytest.raises(InputError, match=line) as caught:
        folders_of(dataset, [shared.data(kind) for kind in kinds])
    assert "\n" not in str(caught.value)


def test_a_folder_of_the_release_is_recognised_and_must_be_whole(shared: Shared, tmp_path: Path, capsys) -> None:
    data = tmp_path / "released"
    (data / "scenes").mkdir(parents=True)
    for split in ("train", "val"):
        name = f"CLEVR_{split}_scenes.json"
        (data / "scenes" / name).write_text((shared.data("clevr") / "scenes" / name).read_text())
    assert kind_of(data) == "clevr"
    command = ["natural", "train", "--preset", "debug", "--dataset", "clevr", "--data", str(data)]
    capsys.readouterr()
    assert main([*command, "--out", str(tmp_path / "model"), *PLAIN]) == 2
    err = capsys.readouterr().err
    assert "images/train/CLEVR_train_000000.png" in err
    assert len(err.strip().splitlines()) == 1


@pytest.fixture(scope="module")
def folders(shared: Shared) -> list[Path]:
    return [shared.data(kind) for kind in ("gqa", "vqa", "clevr")]


def perception_of(folders: list[Path], folder: Path) -> Path:
    """The job of the perception of all folders, as a process reads it."""
    config = debug().with_values({"dataset": "all", "training.device": "cpu", "training.checkpoint_minutes": 0.0})
    job = folder / "job.json"
    folder.mkdir(exist_ok=True)
    phases = Phases(
        "nsmodels.systems.natural", config, Inputs.of({each.name: each for each in folders}), folder / "model", 1
    )
    disk.write_json(job, phases.to_dict("perception"))
    return job


def test_a_mixed_training_that_is_killed_resumes_to_the_same_losses(
    folders: list[Path], child: Callable[..., Child], tmp_path: Path
) -> None:
    whole, cut = (perception_of(folders, tmp_path / name) for name in ("whole", "cut"))
    assert phase.main([str(whole)]) == 0
    stopped = child(phase.main, [str(cut)], setup=partial(signal_at_save, signal.SIGKILL, checkpoint.LAST, 2))
    stopped.communicate()
    assert stopped.returncode == -signal.SIGKILL
    assert checkpoint.load(cut.parent / "model" / "perception" / checkpoint.LAST)["progress"]["step"] > 0
    assert phase.main([str(cut)]) == 0
    one, other = (
        json.loads((job.parent / "model" / "perception" / "history.json").read_text()) for job in (whole, cut)
    )
    assert [each["train/loss"] for each in one] == [each["train/loss"] for each in other]
    assert [each["val/recall"] for each in one] == [each["val/recall"] for each in other]


def test_one_model_of_three_folders_is_sealed_and_scored_on_each(folders: list[Path], tmp_path: Path, capsys) -> None:
    model, evaluation = tmp_path / "model", tmp_path / "evaluation"
    command = ["natural", "train", "--preset", "debug", "--dataset", "all", "--data", *map(str, folders)]
    assert main([*command, "--out", str(model), *PLAIN]) == 0
    manifest = artifact.verify(model)
    shares = [manifest.metrics[f"share/{kind}"] for kind in ("gqa", "vqa", "clevr")]
    assert sum(shares) == pytest.approx(1.0)
    inputs = Inputs.of({each.name: each for each in folders}, model=("model", model))
    metrics = SYSTEM.evaluate(Order("evaluation", NaturalEvaluation(device="cpu"), inputs, evaluation)).metrics
    assert {"accuracy", "vqa_score", "clevr_accuracy", "objects/objects", "clevr_objects"} <= metrics.keys()
    report = json.loads((evaluation / "report.json").read_text())["clevr"]
    assert report["rows"]["true_scene_true_program"]["accuracy"] == 1.0
    assert {"chance", "majority", "type_prior"} == report["baselines"].keys()
    assert report["data"]["num_questions"] == sum(1 for _ in each_question(folders[2], "val"))
    reasoner = FunctionReasoner.load(model, "cpu")
    image = next(path for path, _ in each_graph(folders[2], "val"))
    belief = reasoner.see(image)
    assert belief.words == VOCABULARY
    given = reasoner.answer(image, "How many red cubes are there?")
    assert set(given.answer.distribution) <= {*map(str, range(20)), "yes", "no", *VOCABULARY.type_of, *VOCABULARY.names}
    assert "not proved" in given.text()
    assert type(load(model, "cpu")).__name__ == "Respondent"
    capsys.readouterr()
    answer = ["natural", "answer", "--checkpoint", str(model), "--image", str(image), "--device", "cpu", "--json", "-"]
    assert main([*answer, "Are there more large red metal cubes than small cyan rubber spheres?", "What is it?"]) == 1
    assert all(json.loads(line)["is_proved"] is False for line in capsys.readouterr().out.splitlines())
    capsys.readouterr()


def test_a_model_of_clevr_alone_answers_in_the_terminal(shared: Shared, capsys) -> None:
    trained = shared.trained("natural", "clevr")
    image = next(path for path, _ in each_graph(trained.data, "val"))
    command = ["natural", "answer", "--checkpoint", str(trained.folder), "--image", str(image), "--device", "cpu"]
    assert main([*command, "How many cubes are there?"]) == 1
    assert "not proved: counts and comparisons are executed only" in capsys.readouterr().out
    assert main([*command, "--json", "-", "How many cubes are there?"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["program"][0]["function"] == "scene"
    assert main([*command, "--without", "color(o1) = red", "How many cubes are there?"]) == 2
    assert "--without needs a checkpoint of --dataset gqa" in capsys.readouterr().err
