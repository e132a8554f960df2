"""DICOM over the network: the SCPs that scanners and viewers call, and the SCUs that call them (PS3.7,
PS3.8)."""
