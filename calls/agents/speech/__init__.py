"""Speech without an account: recognition, voice, voice activity, and a rule-based brain."""
