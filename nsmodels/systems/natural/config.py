"""Configuration of the reasoner on natural images. Torch-free."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from nsmodels.core.config import Config, above, added_field, conditional
from nsmodels.engine.config import EvaluationConfig, TrainingConfig, further_training

CODE_VERSION = "1"
EVALUATION_VERSION = f"{CODE_VERSION}.1"
# Reported by each training beside its loss; see `engine.system.System.metrics`.
METRICS = {
    "perception": (
        *("heat", "box", "refined", "name", "attributes", "relations", "scene", "concepts"),
        *("val/recall", "val/precision", "val/names", "val/attribute_sets", "val/relation_f1", "val/concept_map"),
        *("val/within_class", "val/rare_names"),
    ),
    "parser": ("token_accuracy", "val/program_exact"),
    "blind": ("accuracy",),
    "cnn_lstm": ("accuracy",),
    "answers": ("score",),
    "vqa_blind": ("score",),
    "vqa_cnn_lstm": ("score",),
    "clevr_parser": ("token_accuracy", "val/program_exact"),
    "clevr_blind": ("accuracy",),
    "clevr_cnn_lstm": ("accuracy",),
}
SECTIONS: dict[str, str] = {"parser": "parser_training", "blind": "blind_training", "cnn_lstm": "cnn_lstm_training"}
SECTIONS |= {"answers": "answers_training", "vqa_blind": "blind_training", "vqa_cnn_lstm": "cnn_lstm_training"}
SECTIONS |= {f"clevr_{name}": f"{name}_training" for name in ("parser", "blind", "cnn_lstm")}
_ENABLED = {"is_enabled": True}


class PerceptionConfig(Config):
    """The network that reads named objects, their attributes and relations from a photograph."""

    backbone: str = Field(
        default="resnet50",
        description="timm model with features_only; its finest map from `min_stride` on is the map of centres",
    )
    backbone_channels: list[int] = Field(
        default=[],
        description="stage widths of a timm ResNet, to make a narrow one; empty: its own. Another backbone drops them",
    )
    min_stride: int = Field(
        default=4, ge=1, le=32, description="maps of the backbone with fewer pixels per cell are not used; 1: all are"
    )
    pretrained: bool = Field(default=False, description="start from timm's ImageNet weights (needs the network once)")
    image_width: int = Field(default=320, ge=32, le=1024, description="input width in pixels; images are resized to it")
    image_height: int = Field(default=240, ge=32, le=1024, description="input height in pixels")
    feature_dim: int = Field(default=128, ge=8, le=1024, description="channels of the feature pyramid")
    fusion: bool = Field(
        default=True,
        description="multi-scale features: maps of all levels, fused; off: the coarsest map alone, enlarged",
    )
    crop_size: int = Field(
        default=32,
        ge=0,
        le=128,
        multiple_of=8,
        description="side in pixels to which the part of the input below a box is scaled, to be read again; 0: none",
    )
    crop_dim: int = conditional(
        64, {"crop_size": above(0)}, ge=4, le=512, description="channels of the first convolutions that read a part"
    )
    head_dim: int = Field(default=256, ge=16, le=4096, description="width of an object's features")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout on an object's features")
    relation_dropout: float = Field(
        default=0.3, ge=0, lt=1, description="dropout on the features of two objects from which relations are read"
    )
    hierarchy: bool = Field(
        default=True, description="names by class first, then within the class; off: one softmax over all names"
    )
    relation_graph: int = Field(
        default=1, ge=0, le=4, description="rounds of messages between the objects of an image; 0: none"
    )
    memory: int = Field(
        default=0, ge=0, le=16, description="prototypes per name that are compared with an object's features; 0: none"
    )
    routing: bool = Field(
        default=True, description="concepts of the whole image and objects inform each other; off: they do not"
    )
    num_concepts: int = Field(
        default=100,
        ge=0,
        le=4096,
        description="most frequent names, attributes and places that are also read from the image as a whole; 0: none",
    )
    max_objects: int = Field(
        default=64, ge=1, le=512, description="objects of an image: with more, the largest train; most that are read"
    )
    heat_sigma: float = Field(default=0.8, gt=0, le=8, description="width of a centre's target in heat-map cells")
    augment: float = Field(
        default=1.0, ge=0, le=2, description="strength of brightness, contrast, blur and noise augmentation; 0: none"
    )
    flip: bool = Field(default=True, description="mirror half of the training images")
    recolour: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of training images whose red, green and blue are exchanged, so that names rest on shapes; "
        "the colours of things are not learnt from these",
    )
    jitter: float = Field(
        default=0.15, ge=0, le=0.5, description="error of boxes in training, as part of their size: predicted ones err"
    )

    def implied(self, values: dict[str, Any]) -> dict[str, Any]:
        """The widths of a preset are those of its own backbone: a different one comes without them."""
        is_other = values.get("backbone", self.backbone) != self.backbone
        return {"backbone_channels": []} | values if is_other else values


class ParserConfig(Config):
    """The network that reads a program from a question: it decodes a typed grammar and points at words."""

    embedding_dim: int = Field(default=64, ge=4, le=1024, description="width of word and symbol embeddings")
    hidden_dim: int = Field(
        default=128,
        ge=8,
        le=2048,
        multiple_of=2,
        description="width of the decoder; the encoder has half of it per direction",
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout on embeddings and before the output layer")
    hidden_names: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="share of words below a mention that training hides, so that only the class of the mention is read",
    )
    max_program_length: int = Field(
        default=40,
        ge=6,
        le=256,
        description="longest program that is decoded, in tokens and mentions; those of CLEVR: twice that",
    )
    max_questions: int = Field(default=0, ge=0, description="train on so many questions, drawn at random; 0: all")
    max_val_questions: int = Field(default=2000, ge=0, description="validate on the first so many questions; 0: all")


class BaselineConfig(Config):
    """Classifiers of answers, learnt end to end on the same data, to stand beside the reasoner."""

    is_enabled: bool = Field(default=True, description="train them with the reasoner; evaluations then show their rows")
    embedding_dim: int = conditional(64, _ENABLED, ge=4, le=1024, description="width of word embeddings")
    hidden_dim: int = conditional(
        256, _ENABLED, ge=8, le=4096, description="width of question and image features and of the answer layer"
    )
    channels: list[int] = conditional(
        [32, 64, 128, 128], _ENABLED, min_length=1, max_length=6, description="widths of convolutions, each halving"
    )
    dropout: float = conditional(0.0, _ENABLED, ge=0, lt=1, description="dropout before the output layer")
    image_width: int = conditional(
        96, _ENABLED, ge=16, le=1024, description="input width in pixels; images are resized to it"
    )
    image_height: int = conditional(72, _ENABLED, ge=16, le=1024, description="input height in pixels")
    num_answers: int = conditional(
        2000, _ENABLED, ge=2, le=100_000, description="most frequent training answers among which is chosen"
    )
    max_questions: int = conditional(
        0, _ENABLED, ge=0, description="train on so many questions, drawn at random; 0: all"
    )


_VQA = {"dataset": ("vqa", "gqa_vqa", "all")}
_SEVERAL = {"dataset": ("gqa_vqa", "all")}
Dataset = Literal["gqa", "vqa", "clevr", "gqa_vqa", "all"]


class AnswersConfig(Config):
    """The network that chooses an answer by question and perceived objects, for what no program answers."""

    embedding_dim: int = Field(default=64, ge=4, le=1024, description="width of word embeddings")
    hidden_dim: int = Field(default=128, ge=8, le=2048, description="width of the question's state")
    object_dim: int = Field(default=128, ge=8, le=2048, description="width of objects and cells that are attended to")
    cross_attention: bool = Field(
        default=True, description="the question chooses objects and cells; off: their mean, whatever is asked"
    )
    num_heads: int = conditional(
        4,
        {"cross_attention": True},
        ge=1,
        le=32,
        description="objects that are attended to at once, in each of two hops",
    )
    answer_dim: int = Field(default=256, ge=8, le=8192, description="width of the layer before the answers")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout before that layer")
    max_objects: int = Field(default=24, ge=1, le=512, description="objects of an image, the most certain ones")
    crop_size: int = Field(
        default=8, ge=0, le=64, description="side of the pixels below each box that are also read; 0: none"
    )
    map_width: int = Field(default=5, ge=1, le=32, description="cells in a row of the coarse map")
    map_height: int = Field(default=4, ge=1, le=32, description="rows of the coarse map")
    max_questions: int = Field(default=0, ge=0, description="train on so many questions, drawn at random; 0: all")


class NaturalEvaluation(EvaluationConfig):
    """What a checkpoint is scored on."""

    shifted_splits: list[str] = Field(
        default=["ood", "unseen"], description="further splits to score where the data have them: what changes in them"
    )
    num_proofs: int = Field(
        default=500, ge=1, le=1_000_000, description="questions, spread over the split, whose answers are proved"
    )
    soft: bool = added_field(
        True, description="programs are executed over probabilities; off: over facts that were decided before"
    )
    rules: bool = added_field(
        False, description="relations that others imply by the shipped rules are added: who rides is on what is ridden"
    )
    programs: bool = added_field(
        True, description="where answers of people are learnt too: proved answers first; off: chosen answers alone"
    )
    max_images: int = added_field(0, ge=0, description="score the questions about the first so many images; 0: all")


class NaturalConfig(Config):
    """Networks with their trainings. Seed, device, trackers of `training` hold for all phases."""

    dataset: Dataset = Field(
        default="gqa",
        description="what is learnt: questions with programs (gqa; clevr), with answers of ten people (vqa), or several"
        " from one perception over the images of all (gqa_vqa; all: the three; takes a folder of each)",
    )
    mixing_temperature: float = conditional(
        2.0,
        _SEVERAL,
        ge=1,
        le=100,
        description="a dataset of n images is drawn in proportion to n^(1/T): 1 as they come, more: more equally",
    )
    train_split: str = Field(default="train", min_length=1, description="split to train on")
    val_split: str = Field(default="val", min_length=1, description="split to validate on")
    max_images: int = Field(default=0, ge=0, description="train on the first so many images; 0: all")
    max_val_images: int = Field(default=0, ge=0, description="validate on the first so many images; 0: all")
    calibration_images: int = Field(
        default=0,
        ge=0,
        description="last so many of the training images that perception does not learn from: probabilities are "
        "calibrated on them; 0: it learns from all, and they are calibrated on the first 400 of these",
    )
    perception: PerceptionConfig = PerceptionConfig()
    training: TrainingConfig = TrainingConfig()
    parser: ParserConfig = ParserConfig()
    parser_training: TrainingConfig = further_training(has_curriculum=False)
    answers: AnswersConfig = conditional(AnswersConfig(), _VQA, description="the network that chooses answers")
    answers_training: TrainingConfig = further_training(_VQA, has_curriculum=False)
    baseline: BaselineConfig = BaselineConfig()
    blind_training: TrainingConfig = further_training({"baseline.is_enabled": True}, has_curriculum=False)
    cnn_lstm_training: TrainingConfig = further_training({"baseline.is_enabled": True}, has_curriculum=False)
