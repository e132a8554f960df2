"""Repositories over the tables, one subject a file."""
