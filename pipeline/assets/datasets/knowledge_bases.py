"""Knowledge bases: umls, kinships and nations out of a wheel, families drawn here, or files of your own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.datasets.knowledge_bases.config import KnowledgeBasesConfig
from pipeline.lib.dataset import Generated
from pipeline.lib.display import pictures, results


def show(folder: Path) -> results.Metadata:
    """Triples of each base with their false twins, the commonest relations, and where the bases come from."""
    from nsmodels.core.artifact import read_manifest
    from nsmodels.datasets.knowledge_bases import bases
    from nsmodels.datasets.knowledge_bases.look import as_text, distributions

    found, metrics = distributions(folder), read_manifest(folder).metrics
    names = bases.names(folder)
    return {
        "triples": results.text("\n\n".join("\n".join([name, *as_text(folder, name, "test", 6)]) for name in names)),
        "distributions": pictures.bars({f"relations of {name}": found[name]["relations"] for name in names}),
        **results.columns(bases.path_of(folder, names[0]), bases.ABOUT),
        **{f"num_{what}": metrics[f"num_{what}"] for what in ("entities", "relations", "triples", "pairs")},
        **{name: metrics[name] for name in ("source_reason", "package", "licences") if name in metrics},
    }


def wanted(config: KnowledgeBasesConfig) -> Mapping[str, Any] | None:
    """The recipe; of source `auto` only the library knows it, and decides whether to keep what is there."""
    from nsmodels.datasets.knowledge_bases.prepare import recipe_of

    return None if config.source == "auto" else recipe_of(config)


BASES = Generated(
    "knowledge_bases",
    """umls, kinships and nations as triples with matched negatives: the wheel that holds them, or families drawn here.

`source: local` in the launchpad reads files of yours, head, relation and tail separated by tabs.""",
    {
        "schema": "Every base is readable and has triples in each split.",
        "splits_are_disjoint": "No triple is in two splits, nor twice in one.",
        "everything_is_known": "Entities and relations of val and test occur in train.",
        "negatives_are_false": "Matched negatives are of the relation's range, and in no split.",
    },
    warnings=("everything_is_known",),
    show=show,
    wanted=wanted,
    kinds=("parquet",),
)
knowledge_bases, knowledge_bases_checks = BASES.asset(), BASES.checks()
