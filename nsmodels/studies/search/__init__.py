"""Searches for hyper-parameters: many trainings of a network, by Optuna; the best is confirmed with fresh seeds."""
