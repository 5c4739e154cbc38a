"""Run trainings, adaptations, batches and notebooks on SageMaker or a Ray cluster."""
