"""The command line: chained segments, each the options of a component or of an action."""
