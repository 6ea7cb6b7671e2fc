"""The indexer: `CodeRecord`s in, a Whoosh index on disk out."""
