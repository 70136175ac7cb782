"""Plans as labelled graphs: does this order of steps run, and does it reach its goal? Drawn in twins, or from PDDL."""
