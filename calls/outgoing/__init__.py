"""Events that go out as webhooks, by the rules of Standard Webhooks. See docs/api.md."""
