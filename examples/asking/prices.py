"""The app that others ask: what a thing costs."""

_PRICES = {"apple": "0.30", "pear": "0.45", "melon": "2.80"}


def price(request):
    """price of b"apple" answers b"0.30"."""
    thing = request.decode()
    if thing not in _PRICES:
        raise ValueError(f"no {thing} here")
    return _PRICES[thing]
