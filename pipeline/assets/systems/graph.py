"""The graph reasoner: a model and its evaluation per domain, real data, studies, and the figures."""

from nsmodels.core.orders import DATA, MODEL
from nsmodels.systems.graph import SYSTEM
from nsmodels.systems.graph.config import CODE_VERSION, DATASETS, PRESETS_BY_DOMAIN, EvaluationConfig, GraphConfig
from nsmodels.systems.graph.studies.config import COMPARISON_PRESETS
from nsmodels.systems.graph.studies.hyperparameters import SEARCH_PRESETS, TARGET
from nsmodels.systems.graph.studies.variants import ABLATION_PRESETS
from pipeline.assets.systems.graph_checks import first_look
from pipeline.lib import figure
from pipeline.lib.training import FurtherEvaluation, Training, study

FIGURES, STUDIES = "nsmodels.systems.graph.figures", "nsmodels.systems.graph.studies"
TAUGHT = " It is taught the oracle's execution trace; a row shows the same network taught by labels alone."
ABOUT = {
    "causal": "interventions, counterfactuals and back-door sets",
    "planning": "whether a plan runs and reaches its goal",
    "knowledge": "entailment by paths of relations, and consistency of types",
    "chains": "the value at the end of a long chain, with two levels",
}


def training(domain: str) -> Training[GraphConfig, EvaluationConfig]:
    """Learning one domain from its dataset."""
    dataset = DATASETS[domain]
    name = dataset if domain == "chains" else domain
    return Training(
        name=name,
        system=SYSTEM,
        datasets=(dataset,),
        about_model=f"The graph reasoner trained on `{dataset}`: {ABOUT[domain]}; its baselines beside it.{TAUGHT}",
        about_evaluation=f"`{name}_model` on held-out and on longer graphs: both twins right by kind of query and by "
        f"length, calibration, more rounds; counts, colours, other networks and chance beside it.{TAUGHT}",
        show=first_look,
        presets=PRESETS_BY_DOMAIN[domain],
    )


TRAININGS = [training(domain) for domain in DATASETS]
CAUSAL, PLANNING, KNOWLEDGE, CHAINS = TRAININGS
assets = [asset for each in TRAININGS for asset in each.assets()]
training_checks = [check for each in TRAININGS for check in each.checks()]

FURTHER = [
    FurtherEvaluation(
        CAUSAL,
        "causal_networks",
        "`causal_model` on back-door questions about published Bayesian networks, none of which it has seen.",
    ),
    FurtherEvaluation(
        PLANNING,
        "planning_problems",
        "`planning_model` on plans for published PDDL problems, none of which it has seen.",
    ),
]
further_evaluations = [each.asset() for each in FURTHER]

COMPARED = [CAUSAL, PLANNING, KNOWLEDGE]
cross_domain_comparison = study(
    "cross_domain_comparison",
    {
        **dict.fromkeys([key for each in COMPARED for key in each.datasets], DATA),
        **dict.fromkeys([each.model_key for each in COMPARED], MODEL),
        **dict.fromkeys([each.evaluation_key for each in COMPARED], DATA),
    },
    f"{STUDIES}.comparison:compare",
    COMPARISON_PRESETS,
    CODE_VERSION,
    "The domains side by side: scores, baselines, size and cost; and a core of one domain fine-tuned in another, "
    "against from scratch in as many steps.",
)
graph_ablations = study(
    "graph_ablations",
    dict.fromkeys(DATASETS.values(), DATA),
    f"{STUDIES}.ablations:ablate",
    ABLATION_PRESETS,
    CODE_VERSION,
    "The reasoner without one thing after the other (trace, short graphs, gate, normalisation, levels, cycle), each "
    "over the same seeds: gains on test and on longer graphs, paired by pair and seed with their intervals. A finished "
    "trial is kept.",
)
graph_hyperparameters = study(
    "graph_hyperparameters",
    {"causal_graphs": DATA},
    f"{STUDIES}.hyperparameters:search",
    SEARCH_PRESETS,
    TARGET.version,
    "The source document's search: learning rate times cycle weight of its network, every combination, chosen on "
    "validation pairs and confirmed with fresh seeds. An interrupted search resumes.",
)

curves = [
    figure.asset(
        f"{each.name}_training_curves",
        each.model_key,
        FIGURES,
        CODE_VERSION,
        f"Losses and scores of the networks of `{each.model_key}` by epoch.",
        "training_curves",
    )
    for each in TRAININGS
]
scores = [
    figure.asset(
        f"{each.name}_accuracy",
        each.evaluation_key,
        FIGURES,
        CODE_VERSION,
        "Scores beside the baselines, confusion matrix, confidence, difficulty, and scores over length.",
        "accuracy",
    )
    for each in TRAININGS
]
