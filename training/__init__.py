"""Train, evaluate, deploy and run the sentiment model; packages stand on floors, see docs/architecture.md."""
