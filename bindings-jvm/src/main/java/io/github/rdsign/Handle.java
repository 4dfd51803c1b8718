package io.github.rdsign;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Owns a native signer, and frees it after it was closed or its {@link Signer} was garbage
 * collected. If calls still use it then, the last of them frees it.
 *
 * <p>It uses no thread and no finalizer: creating a signer frees those that are garbage.
 */
final class Handle extends PhantomReference<Signer> {
    private static final ReferenceQueue<Signer> GONE = new ReferenceQueue<>();

    /** Keeps handles reachable: otherwise the JVM would not enqueue them. */
    private static final Set<Handle> ALL = ConcurrentHashMap.newKeySet();

    private static final int CLOSED = Integer.MIN_VALUE;

    private final long signer;

    /** The number of calls that use the signer, plus {@link #CLOSED} if it is closed. */
    private final AtomicInteger users = new AtomicInteger();

    private final AtomicBoolean freed = new AtomicBoolean();

    Handle(Signer owner, long signer) {
        super(owner, GONE);
        this.signer = signer;
        ALL.add(this);
    }

    /** Returns the native signer. It is valid until {@link #leave}. */
    long enter() {
        if (users.getAndIncrement() < 0) {
            leave();
            throw new IllegalStateException("the signer is closed");
        }
        return signer;
    }

    /** Lets another thread use the signer, too, until it calls {@link #leave}. */
    void share() {
        users.incrementAndGet();
    }

    void leave() {
        if (users.decrementAndGet() == CLOSED) {
            free();
        }
    }

    void close() {
        for (int now = users.get(); now >= 0; now = users.get()) {
            if (users.compareAndSet(now, now + CLOSED)) {
                if (now == 0) {
                    free();
                }
                return;
            }
        }
    }

    static void freeGarbage() {
        for (Object gone = GONE.poll(); gone != null; gone = GONE.poll()) {
            ((Handle) gone).close();
        }
    }

    /** Returns the number of native signers, for tests. */
    static int count() {
        return ALL.size();
    }

    private void free() {
        if (freed.compareAndSet(false, true)) {
            ALL.remove(this);
            Native.free(signer);
        }
    }
}
