//! How questions travel: octocrab's requests through reqwest, which honours
//! `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` as other programs do.
//!
//! octocrab's own client knows no proxies. Here each request gets the address
//! of the tracker in front of its path, and the token: it never leaves for
//! another server, because redirections are not followed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Collected};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, Error};
use tower_service::Service;

use crate::model::Secret;

/// How long connecting may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// Sends what octocrab asks.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    client: Client,
    base: Uri,
}

/// An address that no tracker can have, or a client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// The address is none.
    #[error("{0:?} is no address")]
    Address(String),
    /// The token cannot be sent.
    #[error("the token holds characters that no header can")]
    Token,
    /// TLS or proxies cannot be set up.
    #[error("the connection cannot be set up")]
    Client(#[from] Error),
}

impl Transport {
    /// Prepares a connection to an interface; nothing is sent yet. Answers come
    /// zipped, for who unpacks them.
    pub(super) fn new(api: &str, token: Option<&Secret>) -> Result<Self, TransportError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        Self::with_headers(api, token, headers)
    }

    /// The same with answers as they are, for octocrab to read.
    pub(crate) fn plain(api: &str, token: &Secret) -> Result<Self, TransportError> {
        Self::with_headers(api, Some(token), HeaderMap::new())
    }

    fn with_headers(api: &str, token: Option<&Secret>, mut headers: HeaderMap) -> Result<Self, TransportError> {
        let base: Uri = api.parse().map_err(|_| TransportError::Address(api.to_owned()))?;
        let host = base.host().ok_or_else(|| TransportError::Address(api.to_owned()))?;
        headers.insert(USER_AGENT, HeaderValue::from_static("nix-deploy"));
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
            let mut value = value.map_err(|_| TransportError::Token)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut builder =
            Client::builder().default_headers(headers).connect_timeout(CONNECTING).redirect(Policy::none());
        // This machine itself is never behind a proxy.
        if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            builder = builder.no_proxy();
        }
        Ok(Self { client: builder.build()?, base })
    }

    /// octocrab with this transport.
    pub(crate) fn octocrab(self) -> Octocrab {
        let built = OctocrabBuilder::new_empty().with_service(self).with_auth(AuthState::None).build();
        built.unwrap_or_else(|never| match never {})
    }

    /// The whole address of a path. Links of a server that has its interface
    /// below a path name that path already.
    fn address(&self, target: &Uri) -> String {
        let asked = target.path_and_query().map_or("/", |path| path.as_str());
        let (scheme, authority) = (self.base.scheme_str().unwrap_or("https"), self.base.authority());
        let authority = authority.map_or("", |authority| authority.as_str());
        let below = self.base.path().trim_end_matches('/');
        let is_whole = !below.is_empty() && asked.starts_with(&format!("{below}/"));
        format!("{scheme}://{authority}{}{asked}", if is_whole { "" } else { below })
    }
}

impl Service<Request<OctoBody>> for Transport {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        let (request, body) = request.into_parts();
        let asked = self.client.request(request.method, self.address(&request.uri)).headers(request.headers);
        Box::pin(async move {
            // It stands in memory: reading it cannot fail. Questions have none.
            let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
            let asked = if body.is_empty() { asked } else { asked.body(body) };
            Ok(asked.send().await?.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn paths_are_those_of_the_tracker_alone() {
        let address = |api: &str, target: &str| {
            Transport::new(api, None).unwrap().address(&target.parse::<Uri>().unwrap())
        };
        assert_eq!(
            address("https://api.github.com", "/repos/a/b/issues?page=2"),
            "https://api.github.com/repos/a/b/issues?page=2"
        );
        let enterprise = "https://git.example.org/api/v3";
        for target in ["/repos/a/b", "/api/v3/repos/a/b", "https://evil.example/api/v3/repos/a/b"] {
            assert_eq!(address(enterprise, target), "https://git.example.org/api/v3/repos/a/b");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_refused() {
        for api in ["", "no address", "/path"] {
            assert!(Transport::new(api, None).is_err(), "{api:?}");
        }
        let token = Secret::new("two\nlines");
        assert!(matches!(Transport::new("https://h", Some(&token)), Err(TransportError::Token)));
    }
}
