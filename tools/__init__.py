"""Write the documentation's figures, tables and pictures."""
