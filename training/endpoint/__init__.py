"""Serve the model: the endpoint's hooks, its images' entry files, and a SageMaker endpoint on loopback."""
