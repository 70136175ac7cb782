"""What stands beside the reasoner: classifiers of answers, and priors."""
