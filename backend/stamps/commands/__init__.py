"""Use cases of campaign cards: campaigns that staff keep, stamps that are given, rewards, and the end of it all."""
