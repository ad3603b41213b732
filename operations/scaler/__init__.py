"""The scaler: how many instances a worker pool needs, from what its queues hold, once a minute.

Cloud Run gives a worker pool no autoscaler. `decide` is the arithmetic, without a clock and without a
network; `scale` is the function that reads Cloud Monitoring, asks it and sets the number.
"""
