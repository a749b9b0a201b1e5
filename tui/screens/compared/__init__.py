"""What the compare screen and `lemnis runs compare` are made of: words, tables, plots in text, and exports."""
