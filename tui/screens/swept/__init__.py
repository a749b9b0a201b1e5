"""The sweep screen in parts: words, tables and plots, and the dialogs that steer."""
