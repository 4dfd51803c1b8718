"""The guides of Node, and the three mistakes of each."""

from typing import NamedTuple


class Case(NamedTuple):
    """How a guide's program and test run, and what its mistakes put in place of its options.

    A mistake is the text that it replaces, and that of the page, which the page must have. A third member has variables.
    """

    mistakes: "list[tuple[str, str] | tuple[str, str, dict]]"
    main: str = "app.mjs"
    test: "str | None" = "node --test --test-reporter=tap app.test.mjs"
    #: What its mistakes are made in, if it is not the program: a file, and a change to it.
    other: "tuple[str, str, str] | None" = None


OPTIONS = "pgOptions(signer, { database: 'testdb', max: 10 })"
PLAIN = "pgOptions(signer, { database: 'testdb' })"
ONE_TOKEN = "{ ...pgOptions(signer, { database: 'testdb' }), password: await signer.password() }"
WITH_URL = "pgOptions(signer, { connectionString: process.env.DATABASE_URL })"
OWN_OPTIONS = "{ host: signer.hostname, user: 'iam_user', password: signer.password, ssl: true }"
WITHOUT_TLS = "{ host: signer.hostname, user: 'iam_user', password: signer.password, database: 'testdb' }"
PRISMA = "prisma generate --schema schema.prisma"
CASES = {
    "cdk": Case(
        [
            ("bundling: { loader: { '.node': 'copy' } }", "bundling: {}"),
            ("loader: { '.node': 'copy' }", "loader: { '.node': 'file' }"),
            (
                "pgOptions(signer, { database: 'testdb', max: 1, idleTimeoutMillis: 1000 })",
                f"{{ ...{PLAIN}, password: signer.tokenSync().value }}",
            ),
        ],
        main="handler.mjs",
        test=None,
    ),
    "drizzle": Case(
        [
            (OPTIONS, ONE_TOKEN),
            ("drizzle({ client: pool })", "drizzle(pgOptions(signer, { database: 'testdb' }))"),
            (OPTIONS, WITHOUT_TLS),
        ],
    ),
    "from-aws-nodejs-wrapper": Case(
        [
            ("{ hostname: ", "{ host: "),
            (PLAIN, "pgOptions(signer, { database: 'testdb', host: 'db.example.com' })"),
            (PLAIN, ONE_TOKEN),
        ],
        test=None,
    ),
    "from-aws-sdk-v2": Case(
        [
            ("const signer", "AWS.config.update({ accessKeyId, secretAccessKey })\nconst signer"),
            (
                "new AWS.RDS.Signer({ region: 'eu-central-1', hostname, port: 5432, username: 'iam_user' })",
                "new AWS.RDS.Signer({ hostname, username: 'iam_user' })",
            ),
            ("region: 'eu-central-1'", "credentials: async () => keys"),
        ],
        test=None,
        other=("before.mjs", "import AWS from 'aws-sdk'", "import AWS from 'rdsign/aws-sdk-v2.js'"),
    ),
    "from-rds-signer": Case(
        [
            (PLAIN, f"{{ ...{PLAIN}, password: () => signer.getAuthToken() }}"),
            ("username: 'iam_user' }", "username: 'iam_user', maxAttempts: 5 }"),
            (PLAIN, ONE_TOKEN),
        ],
        test=None,
    ),
    "knex": Case(
        [
            (PLAIN, f"async () => ({ONE_TOKEN})"),
            (PLAIN, WITH_URL),
            (PLAIN, OWN_OPTIONS),
        ],
        main="knexfile.mjs",
    ),
    "kysely": Case(
        [
            (OPTIONS, ONE_TOKEN),
            (
                "new PostgresDialect({ pool })",
                "new PostgresDialect({ pool: pgOptions(signer, { database: 'testdb' }) })",
            ),
            (OPTIONS, OWN_OPTIONS),
        ]
    ),
    "lambda": Case(
        [
            (" --loader:.node=copy", ""),
            ("--loader:.node=copy", "--loader:.node=file"),
            (
                "pgOptions(signer, { database, dial, ssl, max: 1, idleTimeoutMillis: 1000 })",
                "{ ...pgOptions(signer, { database, dial, ssl }), password: signer.tokenSync().value }",
            ),
        ],
        main="handler.mjs",
        test="node --test --test-reporter=tap handler.test.mjs",
    ),
    "mikro-orm": Case(
        [
            ("password: () => ({ password: signer.password })", "password: signer.password"),
            (
                "driverOptions: { connection: { ssl: verifyFull(signer) } }",
                "driverOptions: { ssl: verifyFull(signer) }",
            ),
            (
                "driverOptions: { connection: { ssl: verifyFull(signer) } }",
                "driverOptions: { connection: { ssl: true } }",
            ),
        ]
    ),
    "next": Case(
        [
            ("export default { serverExternalPackages: ['rdsign'] }", "export default {}"),
            (
                "  await connection() // at each request, and not when the application is built\n",
                "",
                {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
            ),
            (OPTIONS, ONE_TOKEN),
        ],
        main="lib/db.js",
        test=None,
    ),
    "node-postgres": Case([(OPTIONS, ONE_TOKEN), (OPTIONS, WITH_URL), (OPTIONS, OWN_OPTIONS)]),
    "postgres-js": Case(
        [
            ("password: signer.password", "password: await signer.password()"),
            ("ssl: verifyFull(signer)", "ssl: false"),
            ("password: signer.password", "password: () => signer.token()"),
        ]
    ),
    "prisma": Case(
        [
            (OPTIONS, ONE_TOKEN),
            (
                OPTIONS,
                "{ connectionString: 'postgresql://iam_user:' + (await signer.password()) + '@' + signer.hostname }",
            ),
            ("new PrismaClient({ adapter })", "new PrismaClient()"),
        ],
        main="app.ts",
        test=f"{PRISMA}; tsx --test --test-reporter=tap app.test.ts",
    ),
    "sequelize": Case(
        [
            (
                "hooks: { beforeConnect: async (config) => { config.password = await signer.password() } }",
                "password: await signer.password()",
            ),
            ("dialectOptions: { ssl: verifyFull(signer) }", "ssl: verifyFull(signer)"),
            ("dialectOptions: { ssl: verifyFull(signer) }", "dialectOptions: { ssl: true }"),
        ]
    ),
    "slonik": Case(
        [
            (
                "createPool(`postgresql://${address}/testdb`, { driverFactory, maximumPoolSize: 10 })",
                "createPool('postgresql://iam_user:' + encodeURIComponent(await signer.password()) + '@' + address, "
                "{ ssl: verifyFull(signer), driverFactory: createPgDriverFactory() })",
            ),
            ("ssl: verifyFull(signer)", "ssl: undefined"),
            ("ssl: verifyFull(signer)", "ssl: true"),
        ]
    ),
    "typeorm": Case(
        [
            ("password: signer.password", "password: await signer.password()"),
            ("username: signer.username", "...pgOptions(signer, { database: 'testdb' })"),
            ("ssl: verifyFull(signer)", "ssl: true"),
        ]
    ),
    "webpack": Case(
        [
            ("rules: [{ test: /\\.node$/, loader: 'node-loader' }]", "rules: []"),
            ("loader: 'node-loader'", "type: 'asset/resource'"),
            (OPTIONS, ONE_TOKEN),
        ],
        test=None,
    ),
}
