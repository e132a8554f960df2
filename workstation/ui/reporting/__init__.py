"""The report panel: template fields, live measurements, prior reports, dictation, signing."""
