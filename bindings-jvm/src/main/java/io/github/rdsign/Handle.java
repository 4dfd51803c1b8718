package io.github.rdsign;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Owns a native signer, and frees it when it is closed or its {@link Signer} is gone, but never
 * while a call uses it: the last of those frees it then.
 *
 * <p>There is no thread and no finalizer: who makes a signer clears away those before it.
 */
final class Handle extends PhantomReference<Signer> {
    private static final ReferenceQueue<Signer> GONE = new ReferenceQueue<>();

    /** A reference that is not reachable itself is never put in its queue. */
    private static final Set<Handle> ALL = ConcurrentHashMap.newKeySet();

    private static final int CLOSED = Integer.MIN_VALUE;

    private final long signer;

    /** How many calls use the signer; below zero when it is closed. */
    private final AtomicInteger users = new AtomicInteger();

    private final AtomicBoolean freed = new AtomicBoolean();

    Handle(Signer owner, long signer) {
        super(owner, GONE);
        this.signer = signer;
        ALL.add(this);
    }

    /** The native signer, until {@link #leave}. */
    long enter() {
        if (users.getAndIncrement() < 0) {
            leave();
            throw new IllegalStateException("the signer is closed");
        }
        return signer;
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

    static void freeThoseGone() {
        for (Object gone = GONE.poll(); gone != null; gone = GONE.poll()) {
            ((Handle) gone).close();
        }
    }

    /** How many native signers there are: for tests. */
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
