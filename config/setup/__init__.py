"""What `make` does before the product can run. Standard library only: nothing is installed yet."""
