"""Serve the API on one machine: servers, rate limit, metrics, keys. None of it goes into the Lambda's zip."""
