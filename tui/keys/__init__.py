"""The keys of the console: what an action is, those that work everywhere, and one file a stage."""
