"""Work between services: queues that lose nothing."""
