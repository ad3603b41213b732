"""What is checked and set inside the database: indexes, and who may do what."""
