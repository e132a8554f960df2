"""Small shared controls: labels with a look, panels of state, tables, forms, dialogs."""
