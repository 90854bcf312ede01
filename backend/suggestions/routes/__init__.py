"""The calls about suggestion boxes: the staff's, the members', and those of nobody in particular."""
