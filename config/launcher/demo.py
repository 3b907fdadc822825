"""Who can log in to the demo; a real start refuses them."""

from __future__ import annotations

PASSWORD = "patchbay-demo"
USERS = {
    "priya": "supervisor of Billing and Claims",
    "dana": "manager",
    "audra": "auditor",
    "admin": "administrator",
}
