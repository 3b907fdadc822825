"""What `transfers` does about the facts that `calls` announces."""


def register() -> None:
    """Connect the receivers; called once when the app is ready."""
