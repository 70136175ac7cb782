"""Back-door queries on real Bayesian networks: reader of their files, queries in twins, exact effects."""
