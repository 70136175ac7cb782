"""Long chains of mechanisms in declared segments, for the comparison of two levels with one."""

from pipeline.lib.dataset import graph_data

LONG_CHAINS = graph_data(
    "long_chains",
    """Chains of 24 to 52 mechanisms in declared segments: what is the value of the last one? In twins, with an oracle
for both levels: values of the mechanisms, and what each segment does with its input.""",
    {
        "twins_are_matched": "Twins of full length also agree in their colours after one round of WL.",
        "oracle_agrees": "On a sample, a walk along the edges finds label, values and functions of the segments.",
        "resets_are_far": "The asked mechanism has no reset within half of the chain before it.",
    },
    preset="quick",
)
long_chains, long_chains_checks = LONG_CHAINS.asset(), LONG_CHAINS.checks()
