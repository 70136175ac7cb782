"""Points of the plane in two classes: the product of the coordinates is positive or negative."""
