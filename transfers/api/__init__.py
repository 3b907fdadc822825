"""The HTTP API of calls, transfers and presence, for programs: `/api/v1/`. See docs/api.md."""
