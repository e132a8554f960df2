"""The subcommands of `reading-room`, one subject a file; each adds its parser and returns an exit code."""
