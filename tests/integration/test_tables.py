"""The tables as the migrations leave them have what the models say: constraints and indexes, by name."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, models

OURS = [model for app in ("calls", "transfers") for model in apps.get_app_config(app).get_models()]


@pytest.mark.django_db
@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_no_constraint_and_no_index_of_a_model_is_missing(model: type[models.Model]) -> None:
    """One that a migration drops by the way is missed by nobody until two managers are rung at once."""
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, model._meta.db_table)
    wanted = {one.name for one in (*model._meta.constraints, *model._meta.indexes)}
    assert wanted <= set(there)
    unique = {one.name for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)}
    assert all(there[name]["unique"] for name in unique)
