"""The use-cases: one small class each, with its ports in the constructor."""
