package io.github.rdsign.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The lines that `rdsign local --json` and the classes for tests exchange. */
class JsonTest {
    @Test
    void anObjectHasTheTypesOfItsText() {
        Map<String, Object> read =
                Json.object(
                        " {\"a\" : null,\"b\":[true , false,[]] , \"c\":{\"d\":-12,\"e\":1.5e3},"
                                + " \"f\":{}, \"\":\"\" } ");
        assertEquals(List.of("a", "b", "c", "f", ""), List.copyOf(read.keySet()));
        assertEquals(null, read.get("a"));
        assertEquals(List.of(true, false, List.of()), read.get("b"));
        assertEquals(Map.of("d", -12L, "e", 1500.0), read.get("c"));
        assertEquals(Map.of(), read.get("f"));
        assertEquals("", read.get(""));
    }

    @Test
    void escapesAreRead() {
        String text = "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00 ü😀\"}";
        assertEquals("\"\\/\b\f\n\r\tä😀 ü😀", Json.object(text).get("a"));
    }

    @Test
    void whatIsWrittenIsReadBack() {
        String odd = "\0\u001f\n\"\\ ä😀\ud800";
        Map<String, Object> value = Map.of("a", Arrays.asList(odd, null, 1L, true, Map.of()));
        String text = Json.text(value);
        assertEquals(value, Json.object(text));
        assertEquals(-1, text.indexOf('\n'));
        assertEquals("{\"a\":[\"\\u0000\"],\"b\":{},\"c\":[]}", Json.text(ordered()));
    }

    private static Map<String, Object> ordered() {
        Map<String, Object> ordered = new java.util.LinkedHashMap<>();
        ordered.put("a", List.of("\0"));
        ordered.put("b", Map.of());
        ordered.put("c", List.of());
        return ordered;
    }

    @Test
    void everythingElseIsRejectedWithoutShowingIt() {
        for (String text :
                List.of(
                        "",
                        "[]",
                        "null",
                        "{",
                        "{\"secret\"",
                        "{\"secret\":",
                        "{\"secret\":1",
                        "{\"secret\":1,}",
                        "{\"secret\":1}}",
                        "{\"secret\":secret}",
                        "{\"secret\":--1}",
                        "{\"secret\":\"",
                        "{\"secret\":\"\\u12",
                        "{\"secret\":\"\\usecr\"}",
                        "{secret:1}",
                        "{\"a\":[1 2]}")) {
            IllegalArgumentException invalid =
                    assertThrows(IllegalArgumentException.class, () -> Json.object(text), text);
            assertEquals(-1, invalid.getMessage().indexOf("secr"), invalid::getMessage);
        }
    }
}
