"""Baselines: other scorers that a user could pick, measured on the same reviews."""
