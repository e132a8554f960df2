"""The front door of the archive: the protocol, its read models, and the local implementation."""
