"""Knowledge bases as triples: umls, kinships and nations, or families drawn here whose kinship follows by rules."""
