"""The neuro-symbolic visual reasoner: scenes read from images, questions answered by programs with proofs."""
