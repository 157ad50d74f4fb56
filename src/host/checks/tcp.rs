//! The `tcp` check: a connection from the machine we run on.
//!
//! Not for port 22: OpenSSH 9.8 and newer penalise sources that connect and do
//! not authenticate (sshd_config(5), PerSourcePenalties). Whether ssh works is
//! proven by a login.

/// Passes when `host:port` accepts a connection.
pub(super) async fn attempt(address: &str) -> Result<(), String> {
    match tokio::net::TcpStream::connect(address).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("connect to {address}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_open_port_passes_and_a_closed_one_does_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(attempt(&address).await, Ok(()));
        drop(listener);
        assert!(attempt(&address).await.is_err());
    }
}
