"""Names of all ids of the causal graphs, and the ids that the compiled oracle uses. Numpy-free."""

from __future__ import annotations

from nsmodels.formats.graphs.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    node_types=("root", "and", "or", "xor", "variable", "hidden"),
    features=("unknown", "false", "true"),
    marks=("none", "set false", "set true", "treatment", "outcome", "adjusted"),
    relations=("positive", "negative", "cause"),
    kinds=("interventional", "counterfactual", "backdoor"),
    channels=("value", "noise", "changed", "descendant", "ancestor", "ball_up", "ball_down"),
    classes=("no", "yes"),
    length="directed distance from the treatment to the outcome",
    aggregation="both",  # XOR counts its parents; the ball of d-separation arrives or not, however many edges bring it
)
ROOT, AND, OR, XOR, VARIABLE, HIDDEN = range(6)
UNKNOWN, FALSE, TRUE = range(3)
NONE, SET_FALSE, SET_TRUE, TREATMENT, OUTCOME, ADJUSTED = range(6)
POSITIVE, NEGATIVE, CAUSE = range(3)
INTERVENTIONAL, COUNTERFACTUAL, BACKDOOR = range(3)
VALUE, NOISE, CHANGED, DESCENDANT, ANCESTOR, BALL_UP, BALL_DOWN = range(7)
NUM_CHANNELS = 7
