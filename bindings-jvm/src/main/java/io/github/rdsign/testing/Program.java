package io.github.rdsign.testing;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A running {@code rdsign local --json}. A request is a line of JSON on its standard input, and the
 * answer a line on its standard output. When this JVM ends, also by a crash, its end of that input
 * closes, and the server stops.
 */
final class Program {
    private static final Long PROTOCOL = 1L;

    /** Seconds to wait for the server's end before it is killed. It takes less than one. */
    private static final long PATIENCE = 60;

    private static final int KEPT = 20;

    private static final String WAYS =
            "; accepted: RDSIGN_BIN with the path of the program, or a folder of PATH that"
                    + " contains it";

    private final Process process;
    private final Writer requests;
    private final BlockingQueue<Map<String, Object>> answers = new LinkedBlockingQueue<>();

    /** The last lines that are not JSON: the program's error output. */
    private final List<String> errors = Collections.synchronizedList(new ArrayList<>());

    /** Why the server does not answer any more, or null. */
    private volatile String end;

    private Map<String, Object> ready;
    private long last;

    private Program(Process process) {
        this.process = process;
        requests =
                new BufferedWriter(
                        new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        Thread reader = new Thread(this::read, "rdsign-local");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts a server, and returns when it is ready. */
    static Program start(List<String> arguments) {
        String path = find();
        List<String> command = new ArrayList<>(Arrays.asList(path, "local", "--json"));
        command.addAll(arguments);
        Program program;
        try {
            program = new Program(new ProcessBuilder(command).redirectErrorStream(true).start());
        } catch (IOException failure) {
            throw new RdsLocalException(failure.getMessage() + WAYS, "no-program", failure);
        }
        program.awaitReady(path);
        return program;
    }

    /** Returns the members of the line that says that the server is ready. */
    Map<String, Object> ready() {
        return ready;
    }

    private static String find() {
        String own = System.getenv("RDSIGN_BIN");
        if (own != null && !own.isEmpty()) {
            if (isProgram(new File(own))) {
                return own;
            }
            throw new RdsLocalException(
                    "RDSIGN_BIN: " + own + " is not a program" + WAYS, "no-program", null);
        }
        String folders = System.getenv("PATH");
        for (String folder : (folders == null ? "" : folders).split(File.pathSeparator)) {
            File program = new File(folder, "rdsign");
            if (!folder.isEmpty() && isProgram(program)) {
                return program.getPath();
            }
        }
        throw new RdsLocalException(
                "no program rdsign to run RDS on this machine with" + WAYS, "no-program", null);
    }

    private static boolean isProgram(File file) {
        return file.isFile() && file.canExecute();
    }

    private void awaitReady(String path) {
        Map<String, Object> line;
        try {
            line = take();
        } catch (RdsLocalException interrupted) {
            stop();
            throw interrupted;
        }
        if ("ready".equals(line.get("event")) && PROTOCOL.equals(line.get("protocol"))) {
            ready = line;
            return;
        }
        stop();
        if ("failed".equals(line.get("event"))) {
            throw new RdsLocalException(
                    (String) line.get("message"), (String) line.get("kind"), null);
        }
        throw new RdsLocalException(
                path
                        + ": not the rdsign that belongs to this JAR; accepted: one of the same"
                        + " version\n"
                        + String.join("\n", errors),
                "no-program",
                null);
    }

    /** Sends a request with these members, whose names alternate with values; null: not given. */
    synchronized Map<String, Object> request(String verb, Object... members) {
        Map<String, Object> request = new LinkedHashMap<>();
        Long id = ++last;
        request.put("id", id);
        request.put("do", verb);
        for (int i = 0; i < members.length; i += 2) {
            if (members[i + 1] != null) {
                request.put((String) members[i], members[i + 1]);
            }
        }
        try {
            requests.write(Json.text(request) + "\n");
            requests.flush();
        } catch (IOException gone) {
            // The reader says why.
        }
        Map<String, Object> answer;
        do {
            answer = take();
            // After an interrupt, the answer to an earlier request may come first.
        } while (!id.equals(answer.get("id")) && !answer.isEmpty());
        if (answer.get("ok") instanceof Map) {
            return Json.asObject(answer.get("ok"));
        }
        if (!answer.isEmpty()) {
            Map<String, Object> error = Json.asObject(answer.get("error"));
            throw new RdsLocalException(
                    (String) error.get("message"), (String) error.get("sqlstate"), null);
        }
        answers.add(answer); // for the next request
        throw new RdsLocalException(
                end == null ? "RDS on this machine was stopped" : end, null, null);
    }

    private Map<String, Object> take() {
        try {
            return answers.take();
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
            throw new RdsLocalException(
                    "interrupted while RDS on this machine worked", null, interrupt);
        }
    }

    /** Reads the program's output until it ends. An empty answer says that there are no more. */
    private void read() {
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String text = lines.readLine(); text != null; text = lines.readLine()) {
                if (!text.startsWith("{")) {
                    errors.add(text);
                    if (errors.size() > KEPT) {
                        errors.remove(0);
                    }
                    continue;
                }
                Map<String, Object> line = Json.object(text);
                Object event = line.get("event");
                if ("stopped".equals(event)) {
                    end = (String) line.get("message");
                }
                if (event == null || "ready".equals(event) || "failed".equals(event)) {
                    answers.add(line);
                }
            }
        } catch (IOException | IllegalArgumentException failure) {
            end = String.valueOf(failure.getMessage());
        } finally {
            answers.add(Collections.emptyMap());
        }
    }

    /** Stops the server, and returns when its files are removed. */
    void stop() {
        try {
            requests.close();
        } catch (IOException gone) {
            // It has stopped already.
        }
        try {
            if (!process.waitFor(PATIENCE, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
        }
    }
}
