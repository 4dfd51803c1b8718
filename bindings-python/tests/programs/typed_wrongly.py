"""Each line is a mistake that type checkers must report."""

import rdsign

rdsign.Signer("host", "user")  # wrong
rdsign.Signer(hostname="host", username="user", port="5432")  # wrong
rdsign.Signer(hostname="host", username="user", credentials=5)  # wrong
rdsign.Signer(hostname="host", username="user").token(5)  # wrong
rdsign.Token().value = "x"  # wrong
