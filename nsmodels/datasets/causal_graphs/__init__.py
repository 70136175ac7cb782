"""Causal graphs with a query: interventional, counterfactual, back-door; drawn in twins, or Bayesian networks."""
