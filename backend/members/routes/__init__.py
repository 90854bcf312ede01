"""The calls of members' phones, and staff's calls about members and levels."""
