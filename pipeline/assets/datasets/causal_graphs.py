"""Causal graphs: three kinds of causal questions, drawn here, and back-door questions on published networks."""

from pipeline.lib.dataset import graph_data

VERDICTS = {
    "twins_are_matched": "Twins of the kinds that leak otherwise also agree in their colours after one round of WL.",
    "labels_agree": "On a sample, labels equal those of enumeration, or of networkx's d-separation.",
    "effects_agree": "On small networks, adjustment for valid sets gives the effect of an intervention exactly.",
    "labels_do_not_depend_on_order": "On a sample, labels are the same with nodes and edges in a different order.",
    "traces_are_local": "On a sample, each truth of a trace follows from those of the neighbours a round before.",
}
CAUSAL_GRAPHS = graph_data(
    "causal_graphs",
    """Structural causal models with a query each, in twins: what happens under an intervention, whether a different
cause would have changed the outcome, whether a set of variables is a valid back-door adjustment. An oracle computes
labels and traces.

`source: local` in the launchpad reads graphs of yours; some twins are drawn below.""",
    VERDICTS,
    preset="quick",
)
CAUSAL_NETWORKS = graph_data(
    "causal_networks",
    """Back-door questions on published Bayesian networks (asia, sachs, child, alarm, insurance and others), which come
out of a pinned package; its licence is in the manifest. On the command line it is the preset `networks`.""",
    VERDICTS | {"effects_agree": "On small networks, adjustment for a valid set gives the effect exactly."},
    package="causal_graphs",
    preset="networks",
    is_downloaded=True,
)
causal_graphs, causal_graphs_checks = CAUSAL_GRAPHS.asset(), CAUSAL_GRAPHS.checks()
causal_networks, causal_networks_checks = CAUSAL_NETWORKS.asset(), CAUSAL_NETWORKS.checks()
