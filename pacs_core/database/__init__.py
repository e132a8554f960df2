"""The index: schema, unit of work, journal and deliveries, on SQLAlchemy Core."""
