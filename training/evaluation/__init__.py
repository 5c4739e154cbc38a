"""Measure a model: accuracy, calibration, behaviour, faithfulness, drift."""
