"""The rows of `dev.py bench imaging`, a module a subject: each answers `works()`, what beside whom."""
