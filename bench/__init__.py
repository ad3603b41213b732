"""Measurements of the floor, as ratios. ``make bench`` runs them."""
