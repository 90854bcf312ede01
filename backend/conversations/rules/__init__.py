"""What WeChat lets us send, and what the robot makes of a text: pure."""
