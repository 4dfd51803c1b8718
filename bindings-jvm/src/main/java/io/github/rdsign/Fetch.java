package io.github.rdsign;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Signs a token on a platform thread for virtual threads, which wait in Java.
 *
 * <p>A virtual thread that waits in native code keeps its carrier. Without this class, a few of
 * them that wait for credentials would stop all virtual threads of the JVM.
 */
final class Fetch {
    private final CompletableFuture<byte[]> signed = new CompletableFuture<>();
    private volatile Thread thread;

    /**
     * Returns whether the current thread is virtual. Reflection would cost 10 ms at the first call.
     */
    static boolean isNeeded() {
        return Thread.currentThread().getClass().getName().equals("java.lang.VirtualThread");
    }

    /** Starts a thread that signs, runs {@code atEnd} and then wakes up those that wait. */
    void start(Callable<byte[]> signing, Runnable atEnd) {
        Thread starting =
                new Thread(
                        () -> {
                            byte[] token = null;
                            Throwable failure = null;
                            try {
                                token = signing.call();
                            } catch (Throwable thrown) {
                                failure = thrown;
                            }
                            atEnd.run();
                            if (failure == null) {
                                signed.complete(token);
                            } else {
                                signed.completeExceptionally(failure);
                            }
                        },
                        "rdsign");
        starting.setDaemon(true);
        thread = starting;
        try {
            starting.start();
        } catch (Throwable noThread) {
            atEnd.run();
            signed.completeExceptionally(noThread);
        }
    }

    /**
     * Waits for the token. An interrupt does not end the wait, as in native code. If {@code
     * isOurs}, it interrupts the Supplier instead, which runs on the other thread.
     *
     * @throws RdsignException as the native method, with this thread's stack trace
     */
    byte[] await(boolean isOurs) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return signed.get();
                } catch (InterruptedException interrupt) {
                    interrupted = true;
                    if (isOurs) {
                        thread.interrupt();
                    }
                } catch (ExecutionException failure) {
                    throw thrown(failure.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static RuntimeException thrown(Throwable failure) {
        if (failure instanceof RdsignException) {
            return new RdsignException(((RdsignException) failure).code(), failure.getMessage());
        }
        return new IllegalStateException("cannot fetch credentials", failure);
    }
}
