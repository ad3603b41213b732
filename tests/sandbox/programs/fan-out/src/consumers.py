CONSUMERS = {"mail": 20, "billing": 60, "search": 30}
