"""Classifiers of answers, from a question and what is seen of its image: batches, networks, training."""
