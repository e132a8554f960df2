"""HL7 version 2 over MLLP: what is received becomes orders and patients, what is signed goes out as results."""
