-- From here on the relay owns what it was given and can create nothing.
REVOKE CREATE ON SCHEMA atom FROM atom_relay;
