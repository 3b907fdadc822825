"""`make bench BIG=1`: the figures of a past of a million transfers and ten million events. Never in CI."""
