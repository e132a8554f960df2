"""The PACS core of Reading Room: archive, modality worklist, HL7 interfaces and result delivery, without a window."""
