"""The Whoosh codec over the arrays of a generation: its readers are views of them, and it writes nothing."""
