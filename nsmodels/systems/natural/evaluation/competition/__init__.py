"""The study of baselines beside the reasoner: networks over seeds, scored as it is."""
