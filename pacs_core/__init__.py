"""The PACS core of Reading Room: archive, modality worklist, HL7 and result delivery, without a window."""
