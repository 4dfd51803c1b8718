"""The sources of credentials as Java reaches them. What each one does is tested with core."""

import subprocess

import pytest
from common import BOUND
from conftest import ENDPOINT, JAR, java
from fake_aws import keys_file, long_lived_keys
from planted import FAILURES, planted, shows_a_secret

ROLE = "arn:aws:iam::123456789012:role/a-role"

PROGRAM = """
import io.github.rdsign.*;
import java.time.Duration;
import java.util.stream.IntStream;

class Tokens {
    // THREADS [SETTER=VALUE ...]: the access key ids that as many threads signed with, each once.
    public static void main(String[] arguments) throws Exception {
        Signer.Builder builder = Signer.builder().hostname("ENDPOINT").username("iam_user")
                .credentialsTimeout(Duration.ofSeconds(BOUND));
        for (int i = 1; i < arguments.length; i++) {
            String[] option = arguments[i].split("=", 2);
            switch (option[0]) {
                case "credentialsTimeout" ->
                    builder.credentialsTimeout(Duration.ofMillis(Long.parseLong(option[1])));
                case "supplied" ->
                    builder.credentials(() -> Credentials.builder()
                            .accessKeyId(option[1]).secretAccessKey("a secret").build());
                default ->
                    Signer.Builder.class.getMethod(option[0], String.class).invoke(builder, option[1]);
            }
        }
        try (Signer signer = builder.build()) {
            int threads = Integer.parseInt(arguments[0]);
            var tokens = new java.util.concurrent.ConcurrentSkipListSet<String>();
            var all = IntStream.range(0, threads).mapToObj(i -> new Thread(() -> {
                try {
                    tokens.add(signer.password().split("Credential=")[1].split("%2F")[0]);
                } catch (RdsignException failure) {
                    tokens.add(failure.code());
                }
            })).toList();
            all.forEach(Thread::start);
            for (Thread thread : all) {
                thread.join();
            }
            tokens.forEach(System.out::println);
        }
    }
}
""".replace("ENDPOINT", ENDPOINT).replace("BOUND", str(BOUND))


FAILURE = """
import io.github.rdsign.*;

class Failure {
    // How asking for a token fails, with all that Java tells of it.
    public static void main(String[] arguments) {
        try (Signer signer = Signer.builder().hostname("ENDPOINT").username("iam_user")
                .eventListener(System.out::println).build()) {
            signer.token();
        } catch (RdsignException failure) {
            System.out.println(failure.code());
            failure.printStackTrace(System.out);
        }
    }
}
""".replace("ENDPOINT", ENDPOINT)


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("failure")
    (folder / "Failure.java").write_text(FAILURE)
    subprocess.run(["javac", "-cp", JAR, "Failure.java"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_shows_no_secret(failure, failing, place, tmp_path):
    done = java(place, "Failure", more=failing, **planted(tmp_path, failure))
    assert (done.returncode, done.stderr) == (0, "")
    event, code, error, *_ = done.stdout.splitlines()
    assert code == "CREDENTIALS_FAILED"
    assert "credentials: " in error
    assert event.startswith("credentials not fetched: CREDENTIALS_FAILED: credentials: ")
    assert not shows_a_secret(done.stdout)


@pytest.fixture(scope="module")
def tokens(place, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "Tokens.java").write_text(PROGRAM)
    subprocess.run(["javac", "-cp", JAR, "Tokens.java"], cwd=folder, check=True)

    def tokens(*options, threads=1, **variables):
        done = java(place, "Tokens", threads, *options, more=folder, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return tokens


@pytest.fixture
def profile(tmp_path):
    """A file with the profile `work`, and its keys."""
    keys = long_lived_keys("file")
    file = tmp_path / "credentials"
    file.write_text(keys_file("work", keys))
    return file, keys


def test_a_profile_and_a_role_on_top_of_it(tokens, fake, profile):
    file, keys = profile
    variables = {"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_ENDPOINT_URL_STS": fake.url}
    assert tokens("profile=work", **variables) == [keys.access_key_id]
    role = ["profile=work", f"roleArn={ROLE}", "externalId=an id", "roleSessionName=tests"]
    assert tokens(*role, **variables) == [fake.sts.last().access_key_id]
    form = fake.sts.requests[-1].form
    assert (form["RoleArn"], form["ExternalId"], form["RoleSessionName"]) == (ROLE, "an id", "tests")


def test_a_role_on_top_of_a_supplier(tokens, fake):
    found = tokens("supplied=AKIASUPPLIED", f"roleArn={ROLE}", AWS_ENDPOINT_URL_STS=fake.url)
    assert found == [fake.sts.last().access_key_id]
    assert fake.sts.requests[-1].signed_by == "AKIASUPPLIED"


def test_the_instance_is_asked_once_by_sixty_four_threads(tokens, fake):
    metadata = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": fake.url}
    assert tokens(threads=64, **metadata) == [fake.imds.last().access_key_id]
    assert fake.imds.count() == 1


def test_a_source_that_hangs_is_left_in_time(tokens, fake):
    fake.container.hold()
    found = tokens("credentialsTimeout=200", AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.container_url)
    assert found == ["CREDENTIALS_TIMEOUT"]


def test_connections_by_the_same_url_share_their_credentials(place, server, tmp_path):
    key = server.keys["AKIALOCALIAMUSER0001"]
    asked = tmp_path / "asked"
    process = tmp_path / "process"
    process.write_text(
        f"#!/bin/sh\necho >>{asked}\n"
        f"""echo '{{"Version": 1, "AccessKeyId": "{key["access_key_id"]}","""
        f""" "SecretAccessKey": "{key["secret_access_key"]}"}}'\n"""
    )
    process.chmod(0o755)
    config = tmp_path / "config"
    config.write_text(f"[profile work]\ncredential_process = {process}\n")
    url = (
        f"jdbc:postgresql://127.0.0.1:{server.port}/postgres?user=iam_user&sslmode=verify-ca"
        f"&rdsignSslmode=verify-ca&sslrootcert={server.exports['PGSSLROOTCERT']}&rdsignHostname={ENDPOINT}&rdsignProfile=work"
        "&authenticationPluginClassName=io.github.rdsign.postgresql.RdsignAuthenticationPlugin"
    )
    program = tmp_path / "Thrice.java"
    program.write_text(
        """
        class Thrice {
            public static void main(String[] arguments) throws Exception {
                for (int i = 0; i < 3; i++) {
                    java.sql.DriverManager.getConnection(arguments[0]).close();
                }
            }
        }
        """
    )
    done = java(place, program, url, AWS_CONFIG_FILE=config)
    assert (done.returncode, done.stderr) == (0, "")
    assert asked.read_text() == "\n"
