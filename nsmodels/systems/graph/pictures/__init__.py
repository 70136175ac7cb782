"""Pictures of a trained reasoner."""
