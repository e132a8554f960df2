"""The inbox place: what needs a person. Held studies, unprocessed messages, undelivered results."""
