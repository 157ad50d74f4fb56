//! The `http` check: a GET from the machine we run on.

use std::time::Duration;

use crate::host::session::chain;

/// Passes when the answer has the expected status. Redirects are not followed,
/// so that a redirect to a login page is not mistaken for health.
pub(super) async fn attempt(url: &str, expect_status: u16, timeout: Duration) -> Result<(), String> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        .user_agent(concat!("nix-deploy/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| chain(&error))?;
    let response = client.get(url).send().await.map_err(|error| format!("GET {url}: {}", chain(&error)))?;
    let status = response.status().as_u16();
    if status == expect_status {
        return Ok(());
    }
    Err(format!("GET {url}: status {status}, expected {expect_status}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn server(answer: &'static str) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        format!("http://{address}/health")
    }

    #[tokio::test]
    async fn the_status_decides() {
        let url = server("HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n").await;
        let error = attempt(&url, 200, Duration::from_secs(5)).await.unwrap_err();
        assert!(error.contains("status 503, expected 200"), "{error}");
        assert_eq!(attempt(&url, 503, Duration::from_secs(5)).await, Ok(()));
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let url = server("HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n").await;
        assert!(attempt(&url, 200, Duration::from_secs(5)).await.is_err());
    }
}
