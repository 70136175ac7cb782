"""Knowledge graphs: does a rule entail the asked triple, is a type consistent; drawn here."""

from pipeline.lib.dataset import graph_data

KNOWLEDGE_GRAPHS = graph_data(
    "knowledge_graphs",
    """Entities, relations and a query each, in twins: whether a path of relations entails the asked triple, whether a
chain of subclasses makes a type inconsistent. An oracle computes labels and traces.

`source: local` in the launchpad reads graphs of yours; some twins are drawn below.""",
    {
        "twins_are_equal_nearby": "Twins also agree in their colours after one round of WL, and in their rounds.",
        "oracle_agrees": "On a sample, networkx's search finds the label and the states of every round.",
    },
    preset="quick",
)
knowledge_graphs, knowledge_graphs_checks = KNOWLEDGE_GRAPHS.asset(), KNOWLEDGE_GRAPHS.checks()
