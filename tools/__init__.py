"""Write the documentation's figures, tables and pictures."""

import training

training.explain_missing()
