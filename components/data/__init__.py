"""What must survive: the database, the cache and the buckets."""
