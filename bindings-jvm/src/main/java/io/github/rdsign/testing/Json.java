package io.github.rdsign.testing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads and writes the lines of JSON that {@code rdsign local --json} speaks. The JAR depends on no
 * library, and Java has none of its own.
 *
 * <p>An object is a {@code Map}, an array a {@code List}, a number a {@code Long} or a {@code
 * Double}. The other side is a program of the same version, so an invalid text is a bug in rdsign.
 */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /**
     * Reads a line that is an object.
     *
     * @throws IllegalArgumentException if it is not; the message does not show the line, which may
     *     contain a secret
     */
    static Map<String, Object> object(String line) {
        Json json = new Json(line);
        Object value = json.value();
        if (json.next() != '\0' || !(value instanceof Map)) {
            throw json.invalid();
        }
        return asObject(value);
    }

    @SuppressWarnings("unchecked") // every Map here is made below
    static Map<String, Object> asObject(Object value) {
        return (Map<String, Object>) value;
    }

    /** Writes a value: a Map, a List, a String, a Number, a Boolean or null. */
    static String text(Object value) {
        StringBuilder text = new StringBuilder();
        write(value, text);
        return text.toString();
    }

    private static void write(Object value, StringBuilder text) {
        if (value instanceof Map) {
            char before = '{';
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                text.append(before);
                write(entry.getKey(), text);
                write(entry.getValue(), text.append(':'));
                before = ',';
            }
            text.append(before == '{' ? "{}" : "}");
        } else if (value instanceof List) {
            char before = '[';
            for (Object item : (List<?>) value) {
                write(item, text.append(before));
                before = ',';
            }
            text.append(before == '[' ? "[]" : "]");
        } else if (value instanceof String) {
            quote((String) value, text);
        } else {
            text.append(value);
        }
    }

    private static void quote(String value, StringBuilder text) {
        text.append('"');
        for (char c : value.toCharArray()) {
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                // Half of a pair alone is not UTF-8, so surrogates are escaped.
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }

    private Object value() {
        switch (next()) {
            case '{':
                return members();
            case '[':
                return items();
            case '"':
                return string();
            default:
                return literal();
        }
    }

    private Map<String, Object> members() {
        Map<String, Object> members = new LinkedHashMap<>();
        expect('{');
        while (next() != '}') {
            if (!members.isEmpty()) {
                expect(',');
                next();
            }
            String name = string();
            next();
            expect(':');
            members.put(name, value());
        }
        expect('}');
        return members;
    }

    private List<Object> items() {
        List<Object> items = new ArrayList<>();
        expect('[');
        while (next() != ']') {
            if (!items.isEmpty()) {
                expect(',');
            }
            items.add(value());
        }
        expect(']');
        return items;
    }

    private String string() {
        StringBuilder string = new StringBuilder();
        expect('"');
        while (here() != '"') {
            char c = take();
            string.append(c == '\\' ? escaped() : c);
        }
        expect('"');
        return string.toString();
    }

    private char escaped() {
        char c = take();
        int known = "bfnrt".indexOf(c);
        if (known >= 0) {
            return "\b\f\n\r\t".charAt(known);
        }
        if (c != 'u') {
            return c;
        }
        if (at + 4 > text.length()) {
            throw invalid();
        }
        at += 4;
        try {
            return (char) Integer.parseInt(text.substring(at - 4, at), 16);
        } catch (NumberFormatException notHexadecimal) {
            throw invalid();
        }
    }

    private Object literal() {
        int start = at;
        while (Character.isLetterOrDigit(here()) || "+-.".indexOf(here()) >= 0) {
            at++;
        }
        String literal = text.substring(start, at);
        switch (literal) {
            case "null":
                return null;
            case "true":
            case "false":
                return Boolean.valueOf(literal);
            default:
                try {
                    return literal.matches("-?\\d+")
                            ? (Object) Long.valueOf(literal)
                            : Double.valueOf(literal);
                } catch (NumberFormatException notANumber) {
                    throw invalid();
                }
        }
    }

    /** Skips white space. Returns the next character, or NUL at the end. */
    private char next() {
        while (" \t\r\n".indexOf(here()) >= 0) {
            at++;
        }
        return here();
    }

    private char here() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private char take() {
        if (at >= text.length()) {
            throw invalid();
        }
        return text.charAt(at++);
    }

    private void expect(char expected) {
        if (take() != expected) {
            throw invalid();
        }
    }

    private IllegalArgumentException invalid() {
        return new IllegalArgumentException("not JSON at character " + at);
    }
}
