//! Requests to cancel a query. They come on a connection of their own, with a key that only the
//! server of that session knows. So each goes to the address that its session dialed: the name may
//! have other addresses, or another one by now.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::dial::dial_again;
use crate::locked;
use crate::server::Server;
use crate::wire::Cancel;

/// The keys of all open sessions: a process ID and a secret, of 4 bytes or, since protocol 3.2, up
/// to 256.
#[derive(Default)]
pub(crate) struct Keys(Mutex<HashMap<Box<[u8]>, Place>>);

/// The server of a session, and the address that the session dialed.
pub(crate) type Place = (Arc<Server>, SocketAddr);

impl Keys {
    /// Remembers a key until the returned value is dropped.
    pub(crate) fn remember(self: &Arc<Self>, key: &[u8], place: Place) -> Key {
        let key: Box<[u8]> = key.into();
        locked(&self.0).insert(key.clone(), place);
        Key {
            key,
            keys: self.clone(),
        }
    }

    pub(crate) fn find(&self, key: &[u8]) -> Option<Place> {
        locked(&self.0).get(key).cloned()
    }
}

/// The key of an open session.
pub(crate) struct Key {
    key: Box<[u8]>,
    keys: Arc<Keys>,
}

impl Drop for Key {
    fn drop(&mut self) {
        locked(&self.keys.0).remove(&self.key);
    }
}

/// Sends a request to the server, and waits until the server has hung up: then the query has got the
/// signal.
///
/// # Errors
/// Why the request did not reach the server.
pub(crate) async fn forward(
    (server, address): Place,
    request: &Cancel,
    limit: Duration,
) -> Result<(), String> {
    let dialed = dial_again(&server, address, limit).await;
    let (mut stream, _) = dialed.map_err(|refusal| refusal.message)?;
    let sent = async {
        stream.write_all(request.message()).await?;
        stream.flush().await?;
        let mut rest = [0; 64];
        // A server that hangs up without the end of TLS has read the request, too.
        while stream.read(&mut rest).await.unwrap_or(0) > 0 {}
        std::io::Result::Ok(())
    };
    match timeout(limit, sent).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err("the server does not hang up".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_any_length_is_known_while_its_session_is_open() {
        let keys = Arc::new(Keys::default());
        let address = SocketAddr::from(([127, 0, 0, 1], 5432));
        let server = Arc::new(crate::server::tests::server());
        for length in [8, 36, 260] {
            let bytes = vec![7; length];
            let key = keys.remember(&bytes, (server.clone(), address));
            assert_eq!(keys.find(&bytes).map(|(_, address)| address), Some(address));
            assert!(keys.find(&bytes[1..]).is_none());
            drop(key);
            assert!(keys.find(&bytes).is_none());
        }
    }
}
