"""Reports: what transfers come to, of any range of days, quickly. Measured once, added up, read from the sums."""
