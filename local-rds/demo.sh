#!/bin/sh
# Shows a token, a login with it, and two refusals with their reasons, on this machine. `make demo`
# runs it. It runs itself again inside `rdsign local`, which sets AWS_* and PG*.
set -eu

rdsign=${RDSIGN_BIN:-target/release/rdsign}

if [ -z "${RDSIGN_LOCAL_LOG:-}" ]; then
    echo "Starting a local RDS (a throwaway PostgreSQL) ..."
    exec "$rdsign" local -- "$0"
fi

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
query() { psql -X -c "select current_user, current_database(), ssl, version from pg_stat_ssl where pid = pg_backend_pid()"; }
refused() { # the login must fail, and the server's log must say why
    if query; then
        echo "this login should have been refused" >&2
        exit 1
    fi
    printf 'The server log says why: '
    grep -o 'rdsign: refused.*' "$RDSIGN_LOCAL_LOG" | tail -n 1
}

say "1. A token for $PGUSER at $PGHOST, signed without the network"
PGPASSWORD=$("$rdsign" token)
export PGPASSWORD
echo "$PGPASSWORD"

say "2. psql logs in with it over TLS, as it would to RDS"
query

say "3. The server refuses a token signed 901 seconds ago: tokens are valid for 900"
PGPASSWORD=$("$rdsign" token --signing-time "$(date -u -d '901 seconds ago' +%Y-%m-%dT%H:%M:%SZ)")
refused

say "4. It also refuses a token for a user that no policy of this access key allows"
export PGUSER=testuser
PGPASSWORD=$("$rdsign" token)
refused

say "Done. The local RDS stops now and leaves nothing behind."
