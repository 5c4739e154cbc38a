"""Start a training job: the script that SageMaker runs, beside the packages that it needs."""

from training.recipe.train import main

if __name__ == "__main__":
    main()
