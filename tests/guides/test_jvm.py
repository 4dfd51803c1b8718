"""The guides for the JVM."""

import re

import pytest
from common import REPOSITORY
from guide import Guide, logged_in, shows
from maven import (
    CLASS_PATH,
    DIAL,
    HOLDS,
    JAR,
    TOKEN,
    URL,
    WAIT,
    Project,
    direct,
    here,
    install,
    java_version,
    pinned,
    ran,
    token,
)
from pages import ENDPOINT

PGJDBC = ("pgjdbc", "postgresql")
EXAMPLE = REPOSITORY / "examples/scala-scalikejdbc"


@pytest.fixture(scope="session")
def repository():
    return install()


@pytest.fixture
def project(rds, tmp_path, repository):
    return lambda name: Project(rds, tmp_path, repository, Guide(name))


def test_pgjdbc(rds, project):
    pgjdbc = project("pgjdbc")
    tunnel = pgjdbc.guide.block("text", section="TLS and tunnels").strip()
    assert tunnel == DIAL
    program = pgjdbc.program
    assert URL in re.sub(r'"\s*\+ "', "", program)
    assert pgjdbc.page(JDBC_URL=here(rds)) == "iam_user\n"
    ran(pgjdbc, PGJDBC)

    mode, name, denied = pgjdbc.guide.errors
    no_mode = here(rds, URL.replace("&sslmode=verify-full", ""))
    shows(mode, pgjdbc.java(program, JDBC_URL=no_mode, status=1))
    alias = here(rds, URL.replace(ENDPOINT, "db.internal"))
    shows(name, pgjdbc.java(program, JDBC_URL=alias, status=1))
    shows(denied, pgjdbc.java(program, JDBC_URL=here(rds), status=1, **rds.keys("AKIALOCALNOTHING0001")))


def test_hikaricp(rds, project):
    hikari = project("hikaricp")
    program = hikari.program
    assert hikari.page() == "iam_user\n"
    ran(hikari, ("HikariCP", "HikariCP"), PGJDBC)

    stale, user, provider = hikari.guide.errors
    url = here(rds).replace("RdsignAuthenticationPlugin", "").replace("io.github.rdsign.postgresql.&", "&")
    kept = f'config.setJdbcUrl("{url}"); config.setPassword({TOKEN});'
    pool = "config.setDataSource(source.build());"
    assert hikari.java(program, (pool, kept)) == "iam_user\n"
    with rds.later():
        shows(stale, hikari.java(program, (pool, kept), status=1))
    shows(user, hikari.java(program, (pool, f'{pool} config.setUsername("app");'), status=1))
    unverified = url.replace("&sslmode=verify-full", "")
    own = (
        f'config.setJdbcUrl("{unverified}"); config.setCredentialsProvider('
        "new io.github.rdsign.hikari.RdsignCredentialsProvider(signer, config));"
    )
    shows(provider, hikari.java(program, (pool, own), status=1))


def test_scalikejdbc(rds, project):
    scalike = project("scalikejdbc")
    guide = scalike.guide
    assert guide.files["src/main/scala/Batch.scala"] == (EXAMPLE / "src/main/scala/Batch.scala").read_text()
    pom = (EXAMPLE / "pom.xml").read_text().replace("${scala.version}", "2.13.16")
    for dependency in re.findall(r"<dependency>.*?</dependency>", guide.files["pom.xml"], re.S):
        assert "".join(dependency.split()) in "".join(pom.split())
    (scalike.folder / "pom.xml").write_text((EXAMPLE / "pom.xml").read_text())
    variables = {"PGHOST": ENDPOINT, "PGUSER": "iam_user", "PGDATABASE": "testdb"}
    command = guide.block("sh")
    if CLASS_PATH is None:
        printed = scalike.shell(command)
    else:
        printed = rds.run("java", "-cp", f"{JAR}:{CLASS_PATH}", "Batch", folder=scalike.folder, **variables)
    assert printed == "1000 rows as iam_user\n"
    ran(
        scalike,
        ("ScalikeJDBC", "scalikejdbc_2.13"),
        ("HikariCP", "HikariCP"),
        PGJDBC,
        ("Scala", "scala-library"),
    )

    stale, uninitialized, tunnel = guide.errors
    pools = "scalikejdbc.ConnectionPool$.MODULE$"
    url = here(rds).replace("RdsignAuthenticationPlugin", "").replace("io.github.rdsign.postgresql.&", "&")
    single = f"""
        var token = {TOKEN};
        {pools}.singleton("{url}", "iam_user", token, {pools}.singleton$default$4(),
            {pools}.singleton$default$5("{url}", "iam_user", token, {pools}.singleton$default$4()));
        {pools}.borrow("default");
    """
    source = "class App { public static void main(String[] arguments) throws Exception { BODY } }"
    with rds.later():
        shows(stale, scalike.java(source, ("BODY", single), status=1))
    # A session before the pool.
    shows(uninitialized, scalike.java(source, ("BODY", f'{pools}.borrow("default");'), status=1))
    command = ["java", "-cp", f"{JAR}:{scalike.class_path}", "Batch"]
    if CLASS_PATH is None:
        command[2] = f"{scalike.folder}/target/batch.jar:{scalike.class_path}"
    shows(tunnel, rds.run(*command, folder=scalike.folder, status=1, **variables | {"PGHOST": "localhost"}))


def test_slick(rds, project, clock):
    slick = project("slick")
    conf = slick.guide.files["src/main/resources/application.conf"]
    tunnel = slick.guide.block("hocon")
    first, second = slick.guide.block("sh"), slick.guide.block("sh", 1)
    configured_file = slick.folder / "src/main/scala/Configured.scala"
    held = configured_file.read_text().replace("object Configured", "object Held")
    held = held.replace("try println", f"config.db.source.createConnection(); {WAIT} try println")
    configured_file.with_name("Held.scala").write_text(held)
    assert slick.shell(first) == "iam_user\n"
    ran(
        slick,
        ("Slick", "slick_2.13"),
        ("HikariCP", "HikariCP"),
        PGJDBC,
        ("Scala", "scala-library"),
    )

    # The page's file, with the page's lines for a tunnel: here it leads to this machine.
    tunnel = tunnel.replace("localhost:15432", f"127.0.0.1:{rds.port}")

    def configured(*replacements):
        text = conf.replace("    properties {", f"    properties {{\n{tunnel}sslrootcert = {rds.authorities}")
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        (slick.folder / "src/main/resources/application.conf").write_text(text)
        (slick.folder / "target/classes/application.conf").write_text(text)

    configured()
    assert slick.shell(second) == "iam_user\n"
    stale, source, threads = slick.guide.errors
    plugin = re.search(r"authenticationPluginClassName.*", conf)[0]
    lazily = ("numThreads = 4", "numThreads = 4\n    minConnections = 0")
    configured(lazily)
    assert slick.main("Held", clock=clock) == "iam_user\n"
    configured(lazily, (plugin, ""), ("user =", f'password = "{token(rds)}"\n    user ='))
    shows(stale, slick.main("Held", clock=clock, status=1))
    url = re.search(r"url = \"jdbc.*", conf)[0]
    configured((url, "dataSourceClass = io.github.rdsign.postgresql.RdsignDataSource"))
    shows(source, slick.main("Configured", status=1))
    app = slick.folder / "src/main/scala/App.scala"
    program, executor = app.read_text(), 'AsyncExecutor("rds", size, size, 1000, size)'
    assert executor in program
    app.write_text(program.replace(executor, 'AsyncExecutor.default("rds", size)'))
    shows(threads, slick.shell(first, status=1))


def test_spring_boot(rds, project, clock):
    boot = project("spring-boot")
    held = f"package example; @org.springframework.stereotype.Component class Held {{ Held({HOLDS}"
    (boot.folder / "src/main/java/example/Held.java").write_text(held)
    properties = boot.guide.files["src/main/resources/application.properties"]
    assert URL.replace("user=iam_user&", "") in re.sub(r"\\\n *", "", properties)
    url = here(rds).replace("user=iam_user&", "")
    assert boot.page(SPRING_DATASOURCE_URL=url) == "iam_user\n"
    ran(boot, ("Spring Boot", "spring-boot"), ("HikariCP", "HikariCP"), PGJDBC)

    stale, unread, mode = boot.guide.errors
    no_plugin = re.sub(r"authenticationPluginClassName=[^&]*&", "", url)
    pool = {"SPRING_DATASOURCE_HIKARI_MINIMUM_IDLE": 0, "clock": clock}
    assert boot.main("example.App", SPRING_DATASOURCE_URL=url, **pool) == "iam_user\n"
    kept = {"SPRING_DATASOURCE_URL": no_plugin, "SPRING_DATASOURCE_PASSWORD": token(rds)}
    kept["SPRING_DATASOURCE_HIKARI_CONNECTION_TIMEOUT"] = 2000
    printed = boot.main("example.App", status=1, **kept, **pool)
    shows(stale, printed)
    shows('PAM authentication failed for user "iam_user"', printed)
    printed = boot.main("example.App", status=1, SPRING_CONFIG_LOCATION=f"{boot.folder}/target/")
    shows(unread, printed)
    no_mode = url.replace("&sslmode=verify-full", "")
    shows(mode, boot.main("example.App", status=1, SPRING_DATASOURCE_URL=no_mode))


def test_flyway(rds, project):
    flyway = project("flyway")
    pom = flyway.folder / "pom.xml"
    text = pom.read_text()
    assert f"<flyway.url>{URL.replace('&', '&amp;')}</flyway.url>" in text
    printed = flyway.page(FLYWAY_URL=here(rds))
    assert "migrated as iam_user" in printed
    assert "Successfully applied 1 migration" in printed
    versions = pinned(flyway)
    assert versions["flyway-database-postgresql"] == versions["flyway-maven-plugin"]
    flyway_ran = [f"Flyway {versions['flyway-maven-plugin']}", f"pgjdbc {versions['postgresql']}"]
    logged_in(flyway.guide, *flyway_ran, java_version())

    plugin, support, rights = flyway.guide.errors
    command = flyway.guide.block("sh")

    def without(artifact):
        changed = re.sub(
            rf" *<dependency>(?:(?!</dependency>).)*>{artifact}<.*?</dependency>\n", "", text, flags=re.S
        )
        assert changed.count("<dependency>") == 2
        pom.write_text(changed)
        return flyway.shell(command, status=1, FLYWAY_URL=direct(rds))

    shows(plugin, without("rdsign"))
    shows(support, without("flyway-database-postgresql"))
    pom.write_text(text.replace(">app<", ">other<"))
    user = here(rds, URL.replace("iam_user", "testuser"))
    shows(rights, flyway.shell(command, status=1, FLYWAY_URL=user, **rds.keys("AKIALOCALTESTUSER001")))


def test_quarkus(rds, project, clock):
    quarkus = project("quarkus")
    start = "void start(@jakarta.enterprise.event.Observes io.quarkus.runtime.StartupEvent event"
    held = f"@jakarta.inject.Singleton class Held {{ {start}, {HOLDS}"
    (quarkus.folder / "src/main/java/Held.java").write_text(held)
    properties = quarkus.guide.files["src/main/resources/application.properties"]
    assert URL in re.sub(r"\\\n *", "", properties)
    url = here(rds)
    assert quarkus.page(QUARKUS_DATASOURCE_JDBC_URL=url) == "iam_user\n"
    logged_in(quarkus.guide, f"Quarkus {pinned(quarkus)['quarkus-bom']}", java_version())

    stale, mode, missing = quarkus.guide.errors
    jar = ["java", "-jar", "target/quarkus-app/quarkus-run.jar"]

    def run(url, status=1, **variables):
        variables |= {"QUARKUS_DATASOURCE_JDBC_URL": url}
        return rds.run(*jar, folder=quarkus.folder, status=status, **variables)

    no_plugin = re.sub(r"authenticationPluginClassName=[^&]*&", "", url)
    assert run(url, 0, clock=clock) == "iam_user\n"
    shows(stale, run(no_plugin, QUARKUS_DATASOURCE_PASSWORD=token(rds), clock=clock))
    shows(mode, run(url.replace("&sslmode=verify-full", "")))
    (jar_of_rdsign,) = (quarkus.folder / "target/quarkus-app/lib/main").glob("io.github.rdsign.*.jar")
    jar_of_rdsign.unlink()
    shows(missing, run(direct(rds)))


def test_jooq(rds, project):
    jooq = project("jooq")
    assert jooq.page() == "iam_user\n"
    ran(jooq, ("jOOQ", "jooq"), ("HikariCP", "HikariCP"), PGJDBC)

    stale, user, rights = jooq.guide.errors
    url = re.sub(r"authenticationPluginClassName=[^&]*&", "", here(rds))
    used = "DSL.using(pool, SQLDialect.POSTGRES)"
    without_pool = ("try (var pool = new HikariDataSource(config)) {", "{")
    kept = (used, f'DSL.using("{url}", "iam_user", "{token(rds)}")')
    assert jooq.java(jooq.program, without_pool, kept) == "iam_user\n"
    with rds.later():
        printed = jooq.java(jooq.program, without_pool, kept, status=1)
    shows(stale, printed)
    pool = "config.setDataSource(source.build());"
    shows(user, jooq.java(jooq.program, (pool, f'{pool} config.setUsername("app");'), status=1))
    query = 'database.fetchValue(DSL.field("current_user"))'
    shows(rights, jooq.java(jooq.program, (query, 'database.execute("create role other")'), status=1))


def test_from_aws_jdbc_wrapper(rds, project):
    moved = project("from-aws-jdbc-wrapper")
    assert moved.program == Guide("pgjdbc").files["src/main/java/App.java"]
    assert moved.page(JDBC_URL=here(rds)) == "iam_user\n"
    ran(moved, PGJDBC)

    wrapper, prefix, alias = moved.guide.errors
    url = URL.replace("jdbc:", "jdbc:aws-wrapper:")
    shows(wrapper, moved.java(moved.program, JDBC_URL=url, status=1))
    shows(prefix, moved.java(moved.program, JDBC_URL=here(rds) + "&rdsignExpiration=600", status=1))
    url = here(rds, URL.replace(ENDPOINT, "db.internal")) + f"&rdsignHostname={ENDPOINT}"
    shows(alias, moved.java(moved.program, JDBC_URL=url, status=1))


def test_from_aws_sdk_java(rds, project):
    moved = project("from-aws-sdk-java")
    base = re.sub(r"user=iam_user&authenticationPluginClassName=[^&]*&", "", URL)
    url = {"JDBC_URL": here(rds, base)}
    assert moved.page(**url) == "iam_user\n"
    files = pinned(moved)
    logged_in(moved.guide, f"AWS SDK {files['rds']}", f"pgjdbc {files['postgresql']}", java_version())
    # The program before, with the imports of the comment.
    program = moved.program
    before = re.sub(r"^import io.github.rdsign.*\n", "", program, flags=re.M).replace("// import", "import")
    assert moved.java(before, **url) == "iam_user\n"
    made = re.search(r" *var utilities.*?\"iam_user\"\)\);\n", program, re.S)[0]
    assert moved.java(program, (made, moved.guide.block("java")), **url) == "iam_user\n"

    kept, mixed, region = moved.guide.errors
    with rds.later():
        shows(kept, moved.java(program, status=1, **url))
    sdk = ("import io.github.rdsign.compat.v2.Region", "import software.amazon.awssdk.regions.Region")
    shows(mixed, moved.java(program, sdk, status=1, **url))
    alias = (("hostname(HOST)", 'hostname("db.internal")'), (".region(Region.EU_CENTRAL_1)", ""))
    shows(region, moved.java(program, *alias, status=1, **url))


def test_liquibase(rds, project):
    liquibase = project("liquibase")
    pom = liquibase.folder / "pom.xml"
    text = pom.read_text()
    assert f"<liquibase.url>{URL.replace('&', '&amp;')}</liquibase.url>" in text
    command = liquibase.guide.block("sh")

    def update(url, status=0, **variables):
        return liquibase.shell(command, status=status, MAVEN_OPTS=f"-Dliquibase.url={url}", **variables)

    assert "Run:                          2" in update(here(rds))
    stored = rds.local.psql(sql="select by from web.visits", password=rds.local.token())
    assert stored.stdout == "iam_user\n", stored.stderr
    versions = pinned(liquibase)
    own = [f"Liquibase {versions['liquibase-maven-plugin']}", f"pgjdbc {versions['postgresql']}"]
    logged_in(liquibase.guide, *own, java_version())

    plugin, mode, schema = liquibase.guide.errors
    shows(mode, update(here(rds).replace("&sslmode=verify-full", ""), 1))
    user = here(rds, URL.replace("iam_user", "testuser"))
    shows(schema, update(user, 1, **rds.keys("AKIALOCALTESTUSER001")))
    ours = re.search(r" *<dependency>\s*<groupId>io.github.rdsign.*?</dependency>\n", text, re.S)[0]
    pom.write_text(text.replace(ours, ""))
    shows(plugin, update(direct(rds), 1))


def test_r2dbc(rds, project, clock):
    r2dbc = project("r2dbc")
    assert r2dbc.page() == "iam_user\n"
    ran(r2dbc, ("r2dbc-postgresql", "r2dbc-postgresql"), ("r2dbc-pool", "r2dbc-pool"))

    stale, plain, authorities = r2dbc.guide.errors
    hold = [
        ("var user =", f"pool.create().block(); {WAIT} var user ="),
        (".maxSize", ".initialSize(0).maxSize"),
    ]
    assert r2dbc.java(r2dbc.program, *hold, clock=clock) == "iam_user\n"
    kept = (".password(token)", ".password(signer.password())")
    shows(stale, r2dbc.java(r2dbc.program, *hold, kept, clock=clock, status=1))
    shows(plain, r2dbc.java(r2dbc.program, (".sslMode(SSLMode.VERIFY_FULL)\n", "\n"), status=1))
    none = (".sslRootCert(Authorities.pem())", ""), ("options.sslRootCert", "System.getProperty")
    shows(authorities, r2dbc.java(r2dbc.program, *none, status=1))
