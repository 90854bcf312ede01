"""The calls of member cards: head office's stock, the counter, and the members' own."""
