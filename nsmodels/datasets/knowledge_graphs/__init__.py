"""Knowledge graphs in twins: is a triple entailed by a rule over paths, or excluded by the types of a taxonomy?"""
