"""`manage.py up`: brings up the whole product on one machine. Imports no Django: it makes its environment."""
