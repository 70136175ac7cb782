"""Families of questions: each proposes a question about an image, or None where the image has none of its kind."""

from __future__ import annotations

from nsmodels.datasets.gqa.questions.families.attributes import ATTRIBUTES
from nsmodels.datasets.gqa.questions.families.categories import CATEGORIES
from nsmodels.datasets.gqa.questions.families.comparisons import COMPARISONS
from nsmodels.datasets.gqa.questions.families.existence import EXISTENCE
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.families.related import RELATED
from nsmodels.datasets.gqa.questions.families.relation_choices import RELATION_CHOICES
from nsmodels.datasets.gqa.questions.families.relations import RELATIONS
from nsmodels.datasets.gqa.questions.families.scenes import SCENES

FAMILIES: dict[str, Family] = (
    ATTRIBUTES | CATEGORIES | COMPARISONS | EXISTENCE | RELATIONS | RELATED | RELATION_CHOICES | SCENES
)
