"""The node put together: settings, bootstrap, listeners, workers, health and the command line."""
