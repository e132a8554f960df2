"""The use-cases of the archive: small classes with their ports in the constructor, one method each."""
