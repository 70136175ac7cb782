"""The paper from nothing: trainings over seeds, evaluations, studies and figures that are missing, then the paper.

`make paper`, or `python -m pipeline.publication`.
"""
