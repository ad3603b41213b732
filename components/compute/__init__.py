"""What runs the image: the API service and the worker pools."""
