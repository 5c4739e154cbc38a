"""Deploy a stage on AWS, watch it, and remove it."""
