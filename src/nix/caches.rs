//! Binary caches: which of those that a build would fetch from answer, and the
//! settings by which Nix is told.
//!
//! Nix finds out by itself, too, but late: it tries each cache that is gone again
//! and again, with a path that only that cache had the build fails.

use std::time::Duration;

use futures_util::future::join_all;

use super::Nix;
use crate::model::{Substituter, text};

/// How long a cache may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// The caches of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caches {
    /// Those that answer, or that cannot be asked.
    pub(crate) alive: Vec<Substituter>,
    /// Those that do not, and why.
    pub(crate) dead: Vec<(String, String)>,
}

impl Caches {
    /// Asks caches all at once whether they are there.
    pub(crate) async fn probe(all: &[Substituter]) -> Self {
        if all.is_empty() {
            return Self::default();
        }
        let client = reqwest::Client::builder().timeout(PATIENCE).connect_timeout(PATIENCE).build();
        let Ok(client) = client else {
            // Without a client nothing is known: Nix finds out by itself.
            return Self { alive: all.to_vec(), dead: Vec::new() };
        };
        let answers = join_all(all.iter().map(|cache| answers(&client, &cache.url))).await;
        let mut caches = Self::default();
        for (cache, answer) in all.iter().zip(answers) {
            match answer {
                Ok(()) => caches.alive.push(cache.clone()),
                Err(why) => caches.dead.push((cache.url.clone(), why)),
            }
        }
        caches
    }

    /// Nix' settings to fetch from the living beside those that Nix knows.
    pub(crate) fn options(&self) -> Vec<(String, String)> {
        let words = |words: Vec<&str>| words.join(" ");
        let urls: Vec<&str> = self.alive.iter().map(|cache| cache.url.as_str()).collect();
        let keys: Vec<&str> =
            self.alive.iter().flat_map(|cache| cache.keys.iter().map(String::as_str)).collect();
        let mut options = Vec::new();
        if !urls.is_empty() {
            options.push(("extra-substituters".to_owned(), words(urls)));
        }
        if !keys.is_empty() {
            options.push(("extra-trusted-public-keys".to_owned(), words(keys)));
        }
        options
    }

    /// Nix' settings to fetch from the living alone, and to build what they
    /// cannot deliver.
    pub(crate) fn options_alone(&self) -> Vec<(String, String)> {
        let urls: Vec<&str> = self.alive.iter().map(|cache| cache.url.as_str()).collect();
        let mut options = vec![("substituters".to_owned(), urls.join(" "))];
        options.extend(self.options().into_iter().filter(|(name, _)| name == "extra-trusted-public-keys"));
        options.push(("fallback".to_owned(), "true".to_owned()));
        options
    }

    /// Counts a cache that answers as dead when it is the one that failed.
    pub(crate) fn bury(&mut self, said: &str) {
        let failed = |cache: &Substituter| said.contains(base(&cache.url));
        for cache in self.alive.extract_if(.., |cache| failed(cache)) {
            self.dead.push((cache.url, "it answers, but does not deliver".to_owned()));
        }
    }
}

/// The URL without parameters such as `?priority=10` and without a slash at the end.
fn base(url: &str) -> &str {
    url.split('?').next().unwrap_or(url).trim_end_matches('/')
}

/// Whether a cache says that it is one. Caches that are not reached by http
/// cannot be asked so.
async fn answers(client: &reqwest::Client, url: &str) -> Result<(), String> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Ok(());
    }
    let response =
        client.get(format!("{}/nix-cache-info", base(url))).send().await.map_err(|error| why(&error))?;
    if !response.status().is_success() {
        return Err(format!("it answers {}", response.status()));
    }
    match response.text().await {
        Ok(text) if text.contains("StoreDir:") => Ok(()),
        Ok(_) => Err("what answers there is no binary cache".to_owned()),
        Err(error) => Err(why(&error)),
    }
}

/// The innermost cause: the rest of the chain repeats the URL.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {}", text::duration(PATIENCE));
    }
    let mut source: &dyn std::error::Error = error;
    while let Some(cause) = source.source() {
        source = cause;
    }
    text::clean_line(&source.to_string())
}

impl Nix {
    /// The binary caches that Nix itself is set up with; none when it does not say.
    pub(crate) async fn configured_caches(&self) -> Vec<Substituter> {
        // The command has another name since 2.20.
        for words in [["config", "show"].as_slice(), &["show-config"]] {
            let command = self.nix().args(words).deadline(Duration::from_secs(20));
            if let Ok(output) = command.output().await
                && output.success()
            {
                return substituters(&output.stdout_text());
            }
        }
        Vec::new()
    }
}

/// The line `substituters = URL URL` of Nix' settings.
fn substituters(settings: &str) -> Vec<Substituter> {
    let line = settings.lines().find_map(|line| line.strip_prefix("substituters ="));
    let urls = line.unwrap_or_default().split_whitespace();
    urls.map(|url| Substituter { url: url.to_owned(), keys: Vec::new() }).collect()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn cache(url: impl Into<String>, key: &str) -> Substituter {
        Substituter { url: url.into(), keys: vec![key.to_owned()] }
    }

    /// Answers every request with a status line and a body; gives its URL.
    async fn serve(answer: &'static str) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        format!("http://127.0.0.1:{port}")
    }

    #[tokio::test]
    async fn caches_that_answer_are_told_from_those_that_do_not() {
        let alive = serve("HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\nStoreDir: /nix/store\n").await;
        let other = serve("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
        let gone = serve("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
        let closed = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            format!("http://{}", listener.local_addr().unwrap())
        };
        let all = [
            cache(format!("{alive}/?priority=10"), "a-1:AA=="),
            cache(&other, "b-1:BB=="),
            cache(&gone, "c-1:CC=="),
            cache(&closed, "d-1:DD=="),
            cache("s3://bucket", "e-1:EE=="),
        ];
        let caches = Caches::probe(&all).await;
        assert_eq!(caches.alive, [all[0].clone(), all[4].clone()]);
        let dead: Vec<&str> = caches.dead.iter().map(|(url, _)| url.as_str()).collect();
        assert_eq!(dead, [&other, &gone, &closed]);
        assert!(caches.dead[0].1.contains("no binary cache"), "{caches:?}");
        assert!(caches.dead[1].1.contains("404"), "{caches:?}");
        assert!(caches.dead[2].1.contains("refused"), "{caches:?}");
        assert_eq!(
            caches.options(),
            [
                ("extra-substituters".to_owned(), format!("{alive}/?priority=10 s3://bucket")),
                ("extra-trusted-public-keys".to_owned(), "a-1:AA== e-1:EE==".to_owned()),
            ]
        );
    }

    #[test]
    fn a_cache_that_fails_to_deliver_is_counted_as_dead() {
        let all = ["https://one.example/?x=1", "https://two.example"].map(|url| cache(url, "k:K="));
        let mut caches = Caches { alive: all.to_vec(), dead: Vec::new() };
        caches.bury("unable to download 'https://one.example/nar/1.nar.xz': HTTP error 500");
        assert_eq!(caches.alive, all[1..]);
        assert_eq!(caches.dead.len(), 1);
        let options = caches.options_alone();
        assert_eq!(options[0], ("substituters".to_owned(), "https://two.example".to_owned()));
        assert!(options.contains(&("fallback".to_owned(), "true".to_owned())));
    }

    #[test]
    fn what_nix_is_set_up_with_is_read() {
        let settings = "store = auto\nsubstituters = https://cache.nixos.org/ https://b.example\nsystem = x\n";
        let urls: Vec<String> = substituters(settings).into_iter().map(|cache| cache.url).collect();
        assert_eq!(urls, ["https://cache.nixos.org/", "https://b.example"]);
        assert!(substituters("substituters =\n").is_empty() && substituters("").is_empty());
    }
}
