"""The command line of a system: its verbs, and what a training would do."""
