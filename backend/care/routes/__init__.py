"""The calls of care: head office's plans, and the to-dos of stores."""
