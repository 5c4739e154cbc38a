"""Tests; a package by name, since a package that the SageMaker SDK brings is called tests too."""
