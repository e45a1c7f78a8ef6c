"""What household nouns mean: their other names, what they are kinds of, what they are for."""
