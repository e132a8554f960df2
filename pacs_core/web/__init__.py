"""HTTP: DICOMweb, the Archive of this node, and its change feed (Starlette)."""
