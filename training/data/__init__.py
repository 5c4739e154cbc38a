"""Read the IMDb archive and turn it into ids, sentences and a vocabulary."""
