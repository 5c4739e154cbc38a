"""Train inside a SageMaker training job; the packages that it imports lie beside this script."""

from training.recipe.train import main

if __name__ == "__main__":
    main()
