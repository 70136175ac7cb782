"""VQA v2: open questions about photographs with ten answers each; archives, mini subset and synthetic twin."""
