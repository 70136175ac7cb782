"""What is known of a clip: states, properties, affordances, outcomes, events."""
