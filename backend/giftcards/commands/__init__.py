"""What is done with gift cards, a module for each noun."""
