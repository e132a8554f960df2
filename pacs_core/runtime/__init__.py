"""The running node: settings, start and stop, workers, health and the command line."""

VERSION = "0.1.0"
