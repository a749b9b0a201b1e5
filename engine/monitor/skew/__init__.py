"""Data skew: classes, segments and answers out of their usual balance, and rows that serving and training see apart."""
