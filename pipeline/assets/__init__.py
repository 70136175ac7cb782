"""Assets, found by folder: one file per dataset, one per system, one for the figures."""
