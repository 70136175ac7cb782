"""Studies of many trainings: every part of the model left out once."""
