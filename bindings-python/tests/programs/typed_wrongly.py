"""Each line is a mistake that type checkers must report."""

import rdsign

rdsign.Signer("host", "user")  # wrong
rdsign.Signer(hostname="host", username="user", port="5432")  # wrong
rdsign.Signer(hostname="host", username="user", credentials=5)  # wrong
rdsign.Signer(hostname="host", username="user").token(5)  # wrong
rdsign.Token().value = "x"  # wrong
rdsign.typo()  # wrong
rdsign.psycopg.connect().execute("select 1").fetchone() + 1  # wrong
rdsign.psycopg2.connect().typo()  # wrong
rdsign.asyncpg.create_pool().typo()  # wrong
rdsign.sqlalchemy.use_tokens("postgresql://")  # wrong
