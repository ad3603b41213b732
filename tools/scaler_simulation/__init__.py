"""The scaler on a day of messages: a queue, a pool and Google's delays, played against its real arithmetic.

`patterns` are the arrivals, `simulate` plays them, `clairvoyant` bounds what any scaler would have to pay,
`stops` counts what scaling down costs a message; `delivery` is what the queues declare.
"""
