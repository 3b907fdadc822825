"""A rehearsal: a test call through the whole running product, escalated, and judged by what each party hears."""
