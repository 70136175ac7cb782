"""Long causal chains: a study of where levels earn their place, with declared clusters and an oracle for each level."""
