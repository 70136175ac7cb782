"""Questions about natural images: scenes of named objects read from photographs, questions answered with proofs."""
