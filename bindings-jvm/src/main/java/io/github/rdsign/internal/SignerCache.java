package io.github.rdsign.internal;

import io.github.rdsign.Signer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Caches signers for interfaces that pass all options with each call. Without it, each call would
 * look for credentials again. It keeps the 100 that were used last. It does not close the others,
 * because another thread may be about to use one.
 */
public final class SignerCache {
    private static final int LIMIT = 100;

    private final Map<List<Object>, Signer> signers =
            new LinkedHashMap<List<Object>, Signer>(16, 0.75f, true) {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<List<Object>, Signer> eldest) {
                    return size() > LIMIT;
                }
            };

    /** Makes a signer. */
    public interface Maker {
        Signer make();
    }

    /**
     * Returns the signer for a key, and makes it if it is not cached. The maker runs under the
     * lock, so it must not use the network.
     */
    public synchronized Signer get(List<Object> key, Maker maker) {
        Signer signer = signers.get(key);
        if (signer == null) {
            signer = maker.make();
            signers.put(key, signer);
        }
        return signer;
    }
}
