"""The query module: a text in, ranked hits out."""
