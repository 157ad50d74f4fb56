//! A local GitHub for tests and benchmarks: the list of issues of one
//! repository over real HTTP/1.1, with pages and `Link` headers, entity tags,
//! the rate limit, gzip, and faults on demand.
//!
//! It is one file without knowledge of the program, so that unit tests, the
//! tests of the program from outside and the benchmark can all include it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// An issue or a pull request.
#[derive(Clone, Debug)]
pub(crate) struct FakeIssue {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) labels: Vec<String>,
    pub(crate) open: bool,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) is_pull_request: bool,
}

impl FakeIssue {
    /// An open bug.
    pub(crate) fn bug(number: u64, title: &str, updated: i64) -> Self {
        Self {
            number,
            title: title.to_owned(),
            labels: vec!["0.kind: bug".to_owned()],
            open: true,
            created: updated,
            updated,
            is_pull_request: false,
        }
    }
}

/// What goes wrong with an answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Another status with these headers and this body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// The answer comes so much later.
    Late(Duration),
    /// No answer ever; the connection stays open.
    Silent,
    /// The connection ends in the middle of the body.
    Cut,
    /// The body is no JSON.
    Garbled,
}

/// A request that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Path and query.
    pub(crate) target: String,
    pub(crate) authorization: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) status: u16,
}

/// Decides what goes wrong with a request: its target and its number from 1.
type Chooser = Box<dyn Fn(&str, usize) -> Option<Fault> + Send>;

struct State {
    issues: BTreeMap<u64, FakeIssue>,
    latency: Duration,
    /// Requests an hour without and with a token, and what is left of both.
    limits: [u32; 2],
    left: [u32; 2],
    chooser: Chooser,
    seen: Vec<Seen>,
    requests: usize,
    body: usize,
    gzip: bool,
    /// Pull requests as they were asked for.
    pulls: Vec<serde_json::Value>,
    /// Pages as they were last made: body, the same zipped, links.
    pages: HashMap<String, Made>,
}

/// A page that has been made.
#[derive(Clone)]
struct Made {
    body: Vec<u8>,
    zipped: Vec<u8>,
    links: String,
    etag: String,
}

/// A server; it ends with the runtime it was started on.
pub(crate) struct LocalGitHub {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl LocalGitHub {
    /// Starts a server on a free port of this machine.
    pub(crate) async fn start(issues: Vec<FakeIssue>) -> Self {
        Self::start_at("127.0.0.1:0", issues).await
    }

    /// The same at a given address.
    pub(crate) async fn start_at(address: &str, issues: Vec<FakeIssue>) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State {
            issues: issues.into_iter().map(|issue| (issue.number, issue)).collect(),
            latency: Duration::ZERO,
            limits: [60, 5000],
            left: [60, 5000],
            chooser: Box::new(|_, _| None),
            seen: Vec::new(),
            requests: 0,
            body: 200,
            gzip: true,
            pulls: Vec::new(),
            pages: HashMap::new(),
        }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, state }
    }

    /// The address of the REST interface.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every answer comes so much later.
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// How many bytes of text each issue carries.
    pub(crate) fn set_body(&self, bytes: usize) {
        let mut state = self.lock();
        state.body = bytes;
        state.pages.clear();
    }

    /// How many requests are left without and with a token.
    pub(crate) fn set_left(&self, anonymous: u32, with_token: u32) {
        self.lock().left = [anonymous, with_token];
    }

    /// What goes wrong from now on; requests are counted from 1 again.
    pub(crate) fn set_faults(&self, chooser: impl Fn(&str, usize) -> Option<Fault> + Send + 'static) {
        let mut state = self.lock();
        state.chooser = Box::new(chooser);
        state.requests = 0;
    }

    /// Changes an issue or adds one.
    pub(crate) fn put(&self, issue: FakeIssue) {
        let mut state = self.lock();
        state.issues.insert(issue.number, issue);
        state.pages.clear();
    }

    /// Closes an issue.
    pub(crate) fn close(&self, number: u64, at: i64) {
        let mut state = self.lock();
        state.pages.clear();
        if let Some(issue) = state.issues.get_mut(&number) {
            issue.open = false;
            issue.updated = at;
        }
    }

    /// Pull requests that were opened, as they were asked for.
    pub(crate) fn pulls(&self) -> Vec<serde_json::Value> {
        self.lock().pulls.clone()
    }

    /// Requests since the last call.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.lock().seen)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

struct Request {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    cut: bool,
}

/// Answers requests on one connection until the other side ends it.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let _ = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Some(request) = read_request(&mut lines).await {
        let (latency, fault) = {
            let mut state = lock(&state);
            state.requests += 1;
            let number = state.requests;
            (state.latency, (state.chooser)(&request.target, number))
        };
        tokio::time::sleep(latency).await;
        match fault {
            Some(Fault::Late(late)) => tokio::time::sleep(late).await,
            Some(Fault::Silent) => std::future::pending().await,
            _ => {}
        }
        let answer = answer(&request, fault, &mut lock(&state));
        let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let body = if answer.cut { &answer.body[..answer.body.len() / 2] } else { &answer.body[..] };
        if write.write_all(head.as_bytes()).await.is_err() || write.write_all(body).await.is_err() || answer.cut
        {
            return;
        }
    }
}

async fn read_request(
    lines: &mut tokio::io::Lines<BufReader<tokio::net::tcp::OwnedReadHalf>>,
) -> Option<Request> {
    let first = lines.next_line().await.ok()??;
    let method = first.split(' ').next()?.to_owned();
    let target = first.split(' ').nth(1)?;
    // A proxy is told the whole address.
    let target = match target.split_once("://") {
        Some((_, rest)) => rest[rest.find('/').unwrap_or(rest.len())..].to_owned(),
        None => target.to_owned(),
    };
    let mut headers = BTreeMap::new();
    loop {
        let line = lines.next_line().await.ok()??;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.trim().to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    lines.get_mut().read_exact(&mut body).await.ok()?;
    Some(Request { method, target, headers, body })
}

fn answer(request: &Request, fault: Option<Fault>, state: &mut State) -> Answer {
    let authorization = request.headers.get("authorization").cloned();
    let if_none_match = request.headers.get("if-none-match").cloned();
    let mut answer = match &fault {
        Some(Fault::Status(status, headers, body)) => {
            Answer { status: *status, headers: headers.clone(), body: body.clone().into_bytes(), cut: false }
        }
        _ if request.target.starts_with("/repos/ada/infra") => infra(request, state),
        _ => list(request, state),
    };
    match fault {
        Some(Fault::Cut) => answer.cut = true,
        Some(Fault::Garbled) => {
            answer.body = b"[{\"number\": 1, \"title\"".to_vec();
            answer.headers.retain(|(name, _)| *name != "content-encoding");
        }
        _ => {}
    }
    state.seen.push(Seen {
        target: request.target.clone(),
        authorization,
        if_none_match,
        status: answer.status,
    });
    answer
}

/// The repository `ada/infra`: its default branch and its pull requests.
fn infra(request: &Request, state: &mut State) -> Answer {
    let shown = |index: usize| {
        let number = index + 1;
        serde_json::json!({ "number": number, "html_url": format!("https://github.invalid/ada/infra/pull/{number}") })
    };
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let (status, body) = match (request.method.as_str(), path) {
        ("GET", "/repos/ada/infra") => (200, serde_json::json!({ "default_branch": "main" })),
        ("GET", "/repos/ada/infra/pulls") => {
            let of_head = |pull: &serde_json::Value| {
                let head = pull["head"].as_str().unwrap_or_default();
                unescape(query).contains(&format!("head=ada:{head}"))
            };
            let open = state.pulls.iter().enumerate().filter(|(_, pull)| of_head(pull));
            (200, open.map(|(index, _)| shown(index)).collect())
        }
        ("POST", "/repos/ada/infra/pulls") => {
            state.pulls.push(serde_json::from_slice(&request.body).unwrap_or_default());
            (201, shown(state.pulls.len() - 1))
        }
        _ => (404, serde_json::json!({ "message": "Not Found" })),
    };
    let headers = vec![("content-type", "application/json".to_owned())];
    Answer { status, headers, body: body.to_string().into_bytes(), cut: false }
}

/// `GET /repos/OWNER/NAME/issues`.
fn list(request: &Request, state: &mut State) -> Answer {
    let plain = |status: u16, message: &str| Answer {
        status,
        headers: Vec::new(),
        body: format!("{{\"message\": \"{message}\"}}").into_bytes(),
        cut: false,
    };
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    if !path.starts_with("/repos/NixOS/nixpkgs/issues") {
        return plain(404, "Not Found");
    }
    let with_token = usize::from(request.headers.contains_key("authorization"));
    if state.left[with_token] == 0 {
        let mut limited = plain(403, "API rate limit exceeded");
        limited.headers = limit_headers(state, with_token);
        return limited;
    }
    let made = match state.pages.get(&request.target) {
        Some(made) => made.clone(),
        None => {
            let made = make(path, query, state);
            state.pages.insert(request.target.clone(), made.clone());
            made
        }
    };
    let mut answer = Answer { status: 200, headers: Vec::new(), body: made.body, cut: false };
    if request.headers.get("if-none-match") == Some(&made.etag) {
        (answer.status, answer.body) = (304, Vec::new());
    }
    // A 304 is free with a token.
    if answer.status == 200 || with_token == 0 {
        state.left[with_token] -= 1;
    }
    answer.headers = limit_headers(state, with_token);
    answer.headers.push(("etag", made.etag));
    answer.headers.push(("content-type", "application/json".to_owned()));
    if !made.links.is_empty() {
        answer.headers.push(("link", made.links));
    }
    let wants_gzip = request.headers.get("accept-encoding").is_some_and(|encoding| encoding.contains("gzip"));
    if state.gzip && wants_gzip && answer.status == 200 {
        answer.body = made.zipped;
        answer.headers.push(("content-encoding", "gzip".to_owned()));
    }
    answer
}

fn limit_headers(state: &State, with_token: usize) -> Vec<(&'static str, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    vec![
        ("x-ratelimit-limit", state.limits[with_token].to_string()),
        ("x-ratelimit-remaining", state.left[with_token].to_string()),
        ("x-ratelimit-reset", (now + 1800).to_string()),
    ]
}

fn make(path: &str, query: &str, state: &State) -> Made {
    let parameters: BTreeMap<String, String> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), unescape(value)))
        .collect();
    let (body, links) = page(path, &parameters, state);
    let etag = format!("\"{:016x}\"", fingerprint(&body));
    Made { zipped: zipped(&body), body, links, etag }
}

/// The issues of a page as JSON, and its `Link` header.
fn page(path: &str, parameters: &BTreeMap<String, String>, state: &State) -> (Vec<u8>, String) {
    let get = |name: &str| parameters.get(name).map(String::as_str);
    let since =
        get("since").and_then(|since| since.parse::<jiff::Timestamp>().ok()).map(|since| since.as_second());
    let labels: Vec<&str> = get("labels").into_iter().flat_map(|labels| labels.split(',')).collect();
    let mut found: Vec<&FakeIssue> = state
        .issues
        .values()
        .filter(|issue| match get("state") {
            Some("all") => true,
            Some("closed") => !issue.open,
            _ => issue.open,
        })
        .filter(|issue| since.is_none_or(|since| issue.updated >= since))
        .filter(|issue| labels.iter().all(|label| issue.labels.iter().any(|own| own == label)))
        .collect();
    found.sort_by_key(|issue| match get("sort") {
        Some("updated") => (issue.updated, issue.number),
        _ => (issue.created, issue.number),
    });
    if get("direction") != Some("asc") {
        found.reverse();
    }
    let number = |name: &str, default: usize| get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (size, current) = (number("per_page", 30).clamp(1, 100), number("page", 1).max(1));
    let last = found.len().div_ceil(size).max(1);
    let mut links = Vec::new();
    let link = |page: usize, relation: &str| {
        let query: Vec<String> = parameters
            .iter()
            .filter(|(name, _)| *name != "page")
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "%20").replace(':', "%3A")))
            .collect();
        format!("<http://github.invalid{path}?{}&page={page}>; rel=\"{relation}\"", query.join("&"))
    };
    if current < last {
        links.push(link(current + 1, "next"));
        links.push(link(last, "last"));
    }
    let issues: Vec<String> =
        found.iter().skip((current - 1) * size).take(size).map(|issue| json(issue, state.body)).collect();
    (format!("[{}]", issues.join(",")).into_bytes(), links.join(", "))
}

fn json(issue: &FakeIssue, body: usize) -> String {
    let time = |seconds: i64| {
        jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
    };
    let labels: Vec<serde_json::Value> = issue
        .labels
        .iter()
        .map(|label| serde_json::json!({ "id": 1, "name": label, "color": "d4c5f9" }))
        .collect();
    let mut value = serde_json::json!({
        "id": issue.number,
        "number": issue.number,
        "title": issue.title,
        "user": { "login": "someone", "id": 7 },
        "labels": labels,
        "state": if issue.open { "open" } else { "closed" },
        "comments": 3,
        "created_at": time(issue.created),
        "updated_at": time(issue.updated),
        "closed_at": (!issue.open).then(|| time(issue.updated)),
        "body": "nix-info: firefox linux systemd ".repeat(body / 32),
    });
    if issue.is_pull_request {
        value["pull_request"] = serde_json::json!({ "url": "https://api.github.com/x" });
    }
    value.to_string()
}

fn zipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// FNV-1a: any change of the body changes it.
fn fingerprint(body: &[u8]) -> u64 {
    body.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

fn unescape(text: &str) -> String {
    text.replace("%20", " ").replace("%3A", ":").replace("%2C", ",").replace('+', " ")
}
