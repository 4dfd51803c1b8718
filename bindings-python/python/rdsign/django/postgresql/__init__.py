"""Django's PostgreSQL backend, with a token for each connection.

    DATABASES = {
        "default": {
            "ENGINE": "rdsign.django.postgresql",
            "HOST": "mydb.abc123.eu-central-1.rds.amazonaws.com",
            "USER": "iam_user",
            "NAME": "app",
        }
    }

Everything else works as in Django's own backend: psycopg 3 or psycopg2, OPTIONS, pools. sslmode is
verify-full and sslrootcert is `rdsign.ca_bundle()` unless OPTIONS, PGSSLMODE or PGSSLROOTCERT say
otherwise.

Tokens are signed with credentials from the default chain. For others, set `"profile"`, `"role_arn"`
or `"region"` in OPTIONS, or `"signer"` to an `rdsign.Signer`. Errors of rdsign are also a
`django.db.OperationalError`. To dial another address than the endpoint, such as a tunnel, set `"hostaddr"` in
OPTIONS, and PORT.
"""
