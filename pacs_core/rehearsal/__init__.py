"""The loop played by simulated neighbours: a scanner, a RIS, a reader, and the demo data they use."""
