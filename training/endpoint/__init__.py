"""Serve the model: the endpoint's hooks, the images' entry files, and a local SageMaker endpoint."""
