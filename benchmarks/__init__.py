"""What is measured, and how it is written down: `python3 dev.py bench [NAME]`."""
