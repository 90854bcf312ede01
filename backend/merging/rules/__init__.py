"""Pure rules: which lots move how, and who may be one person."""
