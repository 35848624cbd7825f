"""The database: ``database`` has the transactions, ``tables`` what every installation has whatever its records are,
``migrate`` the steps from version to version, ``marks`` and ``leases`` what it says of itself and who may do what,
``pooled`` PostgreSQL behind a pooler; ``migrations`` are the steps themselves.
"""
