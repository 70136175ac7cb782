"""Study: rules planted over scene graphs, learnt from noisy labels and from facts as perception would see them."""
