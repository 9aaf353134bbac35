"""What donating the graph saves, and what it leaves behind."""
