"""Languages of programs as values: what trees of programs are made of, by dataset."""
