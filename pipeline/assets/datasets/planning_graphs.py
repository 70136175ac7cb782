"""Plans as graphs: do they run and reach their goal? Drawn here, and of published planning problems."""

from pipeline.lib.dataset import graph_data

VERDICTS = {
    "same_steps": "Twins consist of the same ground steps in another order.",
    "oracle_agrees": "On a sample, a simulation read off the edges finds the label and every round of the trace.",
}
PLANNING_GRAPHS = graph_data(
    "planning_graphs",
    """Plans of several planning domains with their goal, in twins that consist of the same steps in another order: does
the plan run, and does it reach the goal? A simulator computes labels and traces.

`source: local` in the launchpad reads graphs of yours; some twins are drawn below.""",
    VERDICTS,
    preset="quick",
)
PLANNING_PROBLEMS = graph_data(
    "planning_problems",
    """Plans for published PDDL problems (blocks, gripper, logistics, ferry and others), found by a search, in twins by
the order of their steps. The files come out of a pinned package; its licence is in the manifest.""",
    VERDICTS,
    package="planning_graphs",
    preset="problems",
    is_downloaded=True,
)
planning_graphs, planning_graphs_checks = PLANNING_GRAPHS.asset(), PLANNING_GRAPHS.checks()
planning_problems, planning_problems_checks = PLANNING_PROBLEMS.asset(), PLANNING_PROBLEMS.checks()
