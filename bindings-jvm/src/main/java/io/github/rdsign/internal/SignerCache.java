package io.github.rdsign.internal;

import io.github.rdsign.Signer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The signers of an interface that is told everything anew at each call: without it each call would
 * look for credentials anew as well. It keeps those that were used last; others are garbage, and
 * are not closed, since another thread may be about to use one.
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

    /** What makes a signer. */
    public interface Maker {
        Signer make();
    }

    /**
     * The signer with that key, made if there is none. The maker asks for nothing over a network.
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
