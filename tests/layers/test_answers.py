"""Classifiers of answers over seeds: each learns a planted task, none learns shuffled answers; ViLT from a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nsmodels.core import artifact
from nsmodels.core.errors import InputError, Interrupted
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine import checkpoint
from nsmodels.engine.config import TrainingConfig
from nsmodels.evaluation.comparison.rows import NO_SEED, Row
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.layers.answers import vilt
from nsmodels.layers.answers.batches import numbered
from nsmodels.layers.answers.competitors import Competitor, competitors_of, load_classifier
from nsmodels.layers.answers.config import BaselineStudyConfig, ClassifierConfig, debug
from nsmodels.layers.answers.quiz import Quiz, Side, drawn
from nsmodels.layers.answers.residual import ResidualViewer
from nsmodels.layers.answers.study import Study, run_study, train_once
from nsmodels.layers.answers.task import answer_threads, known_loss, predict

pytestmark = pytest.mark.usefixtures("one_thread")

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 220)}
ANSWERS = (*COLOURS, "yes", "no")
WORDS = ("color", "is", "it", "left", "what")  # of the questions, as a vocabulary numbers them from 2 on
COLOUR, PLACE = "what color is it", "is it left"
CONFIG = debug().with_values(
    {
        "seeds": [0],
        "classifier": {"hidden_dim": 24, "embedding_dim": 12, "channels": [8, 8]},
        "training": {"epochs": 10, "batch_size": 24, "lr": 1e-2, "device": "cpu", "weight_decay": 0.0},
    }
)


def numbers(text: str) -> list[int]:
    return [WORDS.index(word) + 2 if word in WORDS else 1 for word in text.split()]


def side(folder: Path, num_images: int, seed: int, shuffled: bool = False) -> Side:
    """Images half of which has a colour, the rest noise; two questions about each, both of which need it."""
    rng, texts, answers, paths, places = np.random.default_rng(seed), [], [], [], []
    for number in range(num_images):
        colour, is_left = str(rng.choice(list(COLOURS))), bool(rng.integers(2))
        pixels = rng.integers(90, 130, (32, 32, 3)).astype(np.uint8)
        pixels[:, : 16 if is_left else None][:, 0 if is_left else 16 :] = COLOURS[colour]
        paths.append(folder / f"{seed}_{number}.png")
        Image.fromarray(pixels).save(paths[-1])
        texts += [COLOUR, PLACE]
        answers += [colour, "yes" if is_left else "no"]
        places += [number, number]
    if shuffled:
        answers = [answers[k] for k in rng.permutation(len(answers))]
    found = Side(texts, paths, np.array(places), numbered(answers, ANSWERS))
    object.__setattr__(found, "plain", answers)
    return found


def quiz(folder: Path, shuffled: bool = False) -> Quiz:
    folder.mkdir(parents=True, exist_ok=True)
    train, held_out = side(folder, 120, 0, shuffled), side(folder, 50, 1)
    truth: Sequence[str] = held_out.plain  # type: ignore[attr-defined]

    def score(answers: Sequence[str]) -> Outcomes:
        right = np.array([a == b for a, b in zip(answers, truth, strict=True)], float)
        items = [str(k) for k in range(len(truth))]
        return Outcomes("accuracy", "val", items, [str(k) for k in held_out.places], right)

    beside = [Row("majority", "most frequent answer", "guess", {NO_SEED: score(["no"] * len(truth))})]
    return Quiz(
        "colours", train, held_out, held_out, ANSWERS, WORDS, numbers, known_loss, score, beside
    )  # fmt: skip


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Quiz:
    return quiz(tmp_path_factory.mktemp("plain"))


def competitor(asked: Quiz, name: str, config: BaselineStudyConfig = CONFIG) -> Competitor:
    found, _ = competitors_of(asked, config.with_values({"networks": [name]}))
    return found[0]


def score_of(asked: Quiz, name: str, folder: Path, config: BaselineStudyConfig = CONFIG) -> float:
    return train_once(competitor(asked, name, config), asked, config, 0, folder / name)["score"]


def by_question(asked: Quiz) -> float:
    """The score of the best answer to each question, whatever the image: no blind network can do better."""
    given = [
        [colour if text == COLOUR else place for text in asked.scored.texts]
        for colour in COLOURS
        for place in ("yes", "no")
    ]
    return max(asked.score(answers).mean for answers in given)


def test_a_network_that_sees_learns_to_look_and_its_checkpoint_answers_again(plain: Quiz, tmp_path: Path) -> None:
    chosen = competitor(plain, "resnet_lstm")
    record = train_once(chosen, plain, CONFIG, 0, tmp_path)
    assert record["score"] > 0.9 > by_question(plain) + 0.3
    model = load_classifier(checkpoint.load(tmp_path / checkpoint.BEST))
    answers = [ANSWERS[number] for number in predict(model, chosen.encode("scored")).tolist()]
    assert plain.score(answers).mean == record["score"]
    assert record["cost"]["parameters"] == sum(each.numel() for each in model.parameters())


def test_the_blind_network_is_no_better_than_the_best_answer_to_each_question(plain: Quiz, tmp_path: Path) -> None:
    score = score_of(plain, "blind", tmp_path)
    assert 0.3 < score <= by_question(plain)


def test_shuffled_answers_teach_nothing(tmp_path: Path) -> None:
    shuffled = quiz(tmp_path / "shuffled", shuffled=True)
    assert score_of(shuffled, "resnet_lstm", tmp_path) < by_question(shuffled) + 0.05


# --- first weights ---------------------------------------------------------------------------------------------------


def test_resnet_starts_from_a_file_of_weights(tmp_path: Path) -> None:
    config = CONFIG.residual
    torch.manual_seed(1)
    other = ResidualViewer(config, 8)
    torch.save({**other.backbone.state_dict(), "fc.weight": torch.zeros(3, 16)}, tmp_path / "weights.pth")
    torch.manual_seed(2)
    filled = ResidualViewer(config.with_values({"weights": str(tmp_path / "weights.pth")}), 8)
    plain = ResidualViewer(config, 8)
    images = torch.rand(2, 3, 32, 32)
    for each in (other, filled, plain):
        each.eval()
    same, different = (each.layout.maps(each.backbone, images)[-1] for each in (filled, plain))
    assert torch.equal(same, other.layout.maps(other.backbone, images)[-1])
    assert not torch.allclose(different, same)


def test_weights_of_a_different_network_and_missing_ones_are_refused(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(3, 3)}, tmp_path / "weights.pth")
    for path, text in ((tmp_path / "weights.pth", "are missing"), (tmp_path / "none.pth", "no such file")):
        with pytest.raises(InputError, match=text) as caught:
            ResidualViewer(CONFIG.residual.with_values({"weights": str(path)}), 8)
        assert "\n" not in str(caught.value)


# --- ViLT ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny_vilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `save_pretrained` writes it, of a tiny transformer with random weights: it proves code alone."""
    pytest.importorskip("transformers")
    vilt.quiet()
    from transformers import BertTokenizerFast, ViltConfig, ViltModel

    folder = tmp_path_factory.mktemp("vilt")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(str(folder))
    torch.manual_seed(0)
    shape = ViltConfig(
        vocab_size=10, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=32,
        patch_size=8, max_position_embeddings=12, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    ViltModel(shape).save_pretrained(str(folder))
    return folder


def vilt_config(folder: Path, **values: Any) -> BaselineStudyConfig:
    own = {"checkpoint": str(folder), "image_width": 32, "image_height": 32, "max_words": 10, "lr": 5e-3, **values}
    return CONFIG.with_values({"networks": ["vilt"], "vilt": own})


def test_vilt_learns_from_a_local_folder_and_is_loaded_again(tiny_vilt: Path, plain: Quiz, tmp_path: Path) -> None:
    config = vilt_config(tiny_vilt, batch_size=24)
    chosen = competitor(plain, "vilt", config)
    first = chosen.build().state_dict()
    record = train_once(chosen, plain, config, 0, tmp_path)
    assert record["score"] > by_question(plain)
    model = chosen.load(checkpoint.load(tmp_path / checkpoint.BEST), "here")
    answers = [ANSWERS[number] for number in predict(model, chosen.encode("scored")).tolist()]
    assert plain.score(answers).mean == record["score"]
    moved = [name for name, value in model.state_dict().items() if not torch.equal(value, first[name])]
    assert any(name.startswith("transformer.encoder") for name in moved), "the transformer itself is fine-tuned"


def test_other_weights_in_the_same_folder_are_another_origin(tiny_vilt: Path, plain: Quiz, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(tiny_vilt, folder)
    first = competitor(plain, "vilt", vilt_config(folder)).origin
    assert first == competitor(plain, "vilt", vilt_config(tiny_vilt)).origin != ""
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(bytes(weights))
    assert competitor(plain, "vilt", vilt_config(folder)).origin != first
    assert competitor(plain, "blind").origin == ""


def test_vilt_begins_with_the_weights_of_the_folder(tiny_vilt: Path, plain: Quiz) -> None:
    from safetensors.torch import load_file

    saved = load_file(tiny_vilt / "model.safetensors")
    found = competitor(plain, "vilt", vilt_config(tiny_vilt)).build().transformer.state_dict()
    assert all(torch.equal(found[name], value) for name, value in saved.items())


def test_vilt_without_folder_model_or_extra_is_one_line(
    tiny_vilt: Path, plain: Quiz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal(folder: Path) -> str:
        with pytest.raises(InputError) as caught:
            competitors_of(plain, vilt_config(folder))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "holds no readable config.json" in refusal(tmp_path / "none")
    for name, text in (("bert", "of type 'bert'"), ("vilt", "holds no weights")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps({"model_type": name}))
        assert text in refusal(tmp_path / name)
    (tmp_path / "vilt" / "model.safetensors").write_bytes((tiny_vilt / "model.safetensors").read_bytes())
    assert "holds no tokenizer" in refusal(tmp_path / "vilt")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "install the extra: pip install 'nsmodels[transformers]'" in refusal(tiny_vilt)


def test_without_a_configured_checkpoint_vilt_is_left_out_with_the_reason(plain: Quiz) -> None:
    found, left_out = competitors_of(plain, CONFIG.with_values({"networks": ["blind", "vilt"]}))
    assert [each.name for each in found] == ["blind"]
    assert "no checkpoint is configured" in left_out["vilt"]


# --- the study -------------------------------------------------------------------------------------------------------


def ordered(folder: Path, **values: Any) -> Order[BaselineStudyConfig]:
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    (data / "questions.json").write_text("{}")
    fast = {"networks": ["blind"], "seeds": [0, 1, 2], "training.epochs": 1}
    return Order("study", CONFIG.with_values({**fast, **values}), Inputs.of({"colours": data}), folder / "study")


def test_a_stopped_study_resumes_without_training_again_what_is_over(plain: Quiz, tmp_path: Path) -> None:
    built: list[int] = []
    order = ordered(tmp_path)
    only = competitor(plain, "blind", order.config)
    make = only.build

    def counted(stop_at: int) -> Competitor:
        def build() -> torch.nn.Module:
            built.append(len(built))
            if len(built) == stop_at:
                raise Interrupted("stopped")
            return make()

        return replace(only, build=build)

    with pytest.raises(Interrupted):
        run_study(order, Study(plain, [counted(3)], {}), "nsmodels.test", "1")
    manifest = run_study(order, Study(plain, [counted(0)], {}), "nsmodels.test", "1")
    assert len(built) == 4, "two seeds before, one attempt, one more seed"
    assert len(list((order.folder / "trials").glob("*/trial.json"))) == 3
    report = json.loads((order.folder / "report.json").read_text())
    row = report["rows"]["blind"]
    assert list(row["scores"]) == ["0", "1", "2"]
    assert manifest.metrics["blind/accuracy"] == pytest.approx(np.mean(list(row["scores"].values())))
    assert report["rows"]["majority"]["interval_over_seeds"] is None
    artifact.verify(order.folder)


def test_questions_are_drawn_once_and_keep_their_order() -> None:
    questions = [str(k) for k in range(100)]
    some = drawn(questions, 10)
    assert some == drawn(questions, 10) == sorted(some, key=int)
    assert len(set(some)) == 10
    assert drawn(questions, 0) == questions


def test_the_first_questions_come_with_their_own_images_and_answers(tmp_path: Path) -> None:
    whole = side(tmp_path, 5, 0)
    part = whole.first(4)
    assert [part.paths[k] for k in part.places] == [whole.paths[k] for k in whole.places[:4]]
    assert part.answers(np.arange(4)).tolist() == whole.answers(np.arange(4)).tolist()


@pytest.mark.parametrize(
    ("hidden_dim", "batch_size", "parts", "processes", "side", "threads"),
    [
        (128, 128, 1, 1, 0, 1),
        (128, 128, 1, 1, 448, 0),
        (512, 256, 1, 1, 0, 0),
        (512, 256, 8, 1, 64, 1),
        (512, 256, 1, 8, 64, 1),
    ],
)
def test_small_steps_take_one_thread(
    hidden_dim: int, batch_size: int, parts: int, processes: int, side: int, threads: int
) -> None:
    sizes = ClassifierConfig(hidden_dim=hidden_dim, image_width=side or 448, image_height=side or 448)
    training = TrainingConfig(batch_size=batch_size, accumulate_steps=parts, num_processes=processes)
    assert answer_threads(sizes, training, has_image=side > 0) == threads


def test_large_networks_take_all_threads(tmp_path: Path) -> None:
    found, _ = competitors_of(quiz(tmp_path), CONFIG.with_values({"networks": ["blind", "cnn_lstm", "resnet_lstm"]}))
    threads = {each.name: each.trial(quiz(tmp_path), CONFIG.training, 0).task.num_threads for each in found}
    assert threads == {"blind": 1, "cnn_lstm": 1, "resnet_lstm": 0}
