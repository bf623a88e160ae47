"""The Redshift Data API over a private PostgreSQL: see service.py."""
