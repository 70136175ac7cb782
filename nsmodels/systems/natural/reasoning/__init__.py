"""Programs executed over uncertain scenes; proofs, their replay, counterfactuals."""
