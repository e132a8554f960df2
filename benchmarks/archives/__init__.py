"""The archive beside others in real processes: the servers, the objects sent, and who sends and asks."""
