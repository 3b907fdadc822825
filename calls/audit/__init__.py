"""What auditors ask of the record: whether anybody changed it, and proofs that hold without the console."""
