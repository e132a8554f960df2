"""The index: schema, one writer, repositories and the journal (SQLite; SQLAlchemy Core)."""
