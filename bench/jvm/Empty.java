/** A program that does nothing, to measure the bare JVM. */
public class Empty {
    public static void main(String[] arguments) {}
}
