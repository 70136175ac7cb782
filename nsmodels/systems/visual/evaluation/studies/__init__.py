"""Studies of many trainings: parts of the model left out once each."""
