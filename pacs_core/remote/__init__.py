"""The Archive of another node, called over HTTP."""
