package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Each line of tests/vectors.tsv, the contract that all languages share. */
class VectorsTest {
    private static final Pattern ESCAPE = Pattern.compile("\\\\(x..|.)");

    /** The fields of a line by column, without missing ones. */
    record Line(Map<String, String> fields) {
        @Override
        public String toString() {
            return fields.get("name");
        }

        void given(String column, Consumer<String> set) {
            if (fields.containsKey(column)) {
                set.accept(fields.get(column));
            }
        }
    }

    static Stream<Line> lines() throws Exception {
        List<String[]> rows =
                Files.readString(Path.of("../tests/vectors.tsv"))
                        .lines()
                        .filter(line -> !line.startsWith("#"))
                        .map(line -> line.split("\t", -1))
                        .toList();
        String[] columns = rows.get(0);
        assertEquals("name", columns[0]);
        assertTrue(rows.size() > 120, () -> rows.size() + " lines");
        return rows.stream().skip(1).map(row -> line(columns, row));
    }

    private static Line line(String[] columns, String[] row) {
        assertEquals(columns.length, row.length);
        Map<String, String> fields = new HashMap<>();
        for (int at = 0; at < row.length; at++) {
            if (!row[at].equals("\\N")) {
                fields.put(columns[at], unescaped(row[at]));
            }
        }
        return new Line(fields);
    }

    @ParameterizedTest
    @MethodSource("lines")
    void eachVectorGivesItsBytesOrItsCode(Line line) {
        String error = null;
        String token = null;
        try {
            token = sign(line).value();
        } catch (RdsignException exception) {
            error = exception.code();
        }
        assertEquals(line.fields.get("error"), error);
        assertEquals(line.fields.get("token"), token);
    }

    private static String unescaped(String text) {
        return ESCAPE.matcher(text)
                .replaceAll(escape -> Matcher.quoteReplacement(character(escape.group(1))));
    }

    private static String character(String escape) {
        return switch (escape.charAt(0)) {
            case 'x' -> String.valueOf((char) Integer.parseInt(escape.substring(1), 16));
            case 't' -> "\t";
            case 'n' -> "\n";
            case 'r' -> "\r";
            case '\\' -> "\\";
            default -> throw new AssertionError("unknown escape \\" + escape);
        };
    }

    private static Token sign(Line line) {
        Signer.Builder builder = Signer.builder();
        line.given("hostname", builder::hostname);
        line.given("port", text -> builder.port(Long.parseLong(text)));
        line.given("username", builder::username);
        line.given("region", builder::region);
        line.given("access_key_id", builder::accessKeyId);
        line.given("secret_access_key", builder::secretAccessKey);
        line.given("session_token", builder::sessionToken);
        line.given(
                "expires_in", text -> builder.expiresIn(Duration.ofSeconds(Long.parseLong(text))));
        line.given("service", builder::service);
        try (Signer signer = builder.build()) {
            String seconds = line.fields.get("signing_time");
            return signer.token(Instant.ofEpochSecond(Long.parseLong(seconds)));
        }
    }
}
