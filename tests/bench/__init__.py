"""The numbers that we hold (see the design's table), measured on the running product: `python -m tests.bench`."""
