from __future__ import annotations

from django.db import models


class RosterUpload(models.Model):
    """A file of managers between its preview and being applied. Not kept for longer."""

    token = models.CharField(primary_key=True, max_length=40)
    content = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Upload of {self.at}"
