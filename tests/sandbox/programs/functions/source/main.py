def hello(r):
    return "x"
