//! Look-ups over HTTP: the only file that names `reqwest`. A thread of its own, so that nothing a caller waits for ever waits
//! for somebody else's server.
//!
//! Asked is only what the settings allow, at the address as it stands after it has been normalised (no `..`, no user in
//! front of the host); redirects are not followed, proxies of the environment not used. Answers are taken up to 64 KiB.

use super::inbox::AnswerTo;
use crate::call::event::Query;
use crate::dialplan::is_below;
use crate::engine::input::Answer;
use crate::step::lookup::Method;
use crate::variable::LookupFailure;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use tokio::sync::{Semaphore, mpsc};

/// Most look-ups that are asked at once; one more fails at once.
const ASKED_MAX: usize = 500;
/// More of an answer is not read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

type Found = Result<BTreeMap<String, String>, LookupFailure>;

/// Where look-ups are handed in. Dropping it ends the thread.
#[derive(Debug)]
pub struct Lookups {
    door: Option<mpsc::UnboundedSender<(Query, AnswerTo)>>,
}

impl Lookups {
    /// `allow` are beginnings of URLs. Without any, no thread is started and every look-up fails.
    ///
    /// # Errors
    /// The system refuses a thread, or TLS cannot be set up.
    pub fn start(allow: &[String]) -> std::io::Result<Lookups> {
        // The words of the settings are read as the addresses are, so that both are compared in one form.
        let allowed: Vec<String> = allow.iter().filter_map(|text| Url::parse(text).ok()).map(String::from).collect();
        if allowed.is_empty() {
            return Ok(Lookups { door: None });
        }
        // An earlier one of this process serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("onekey/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(std::io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (door, mut asked) = mpsc::unbounded_channel::<(Query, AnswerTo)>();
        let places = Arc::new(Semaphore::new(ASKED_MAX));
        let allowed: Arc<[String]> = allowed.into();
        let serve = async move {
            while let Some((query, answer)) = asked.recv().await {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    answer.give(Answer::LookedUp(Err(LookupFailure::Unreachable)));
                    continue;
                };
                let (client, allowed) = (client.clone(), Arc::clone(&allowed));
                tokio::spawn(async move {
                    let found = tokio::time::timeout(query.deadline, ask(&client, &allowed, &query)).await;
                    let found = found.unwrap_or(Err(LookupFailure::Late));
                    if let Err(how) = &found {
                        tracing::info!(lookup = %query.lookup, how = how.as_str(), "a look-up has failed");
                    }
                    answer.give(Answer::LookedUp(found));
                    drop(place);
                });
            }
        };
        thread::Builder::new().name("onekey-lookup".into()).spawn(move || runtime.block_on(serve))?;
        Ok(Lookups { door: Some(door) })
    }

    pub fn ask(&self, query: Query, answer: AnswerTo) {
        let refused = match &self.door {
            Some(door) => door.send((query, answer)).err().map(|refused| refused.0.1),
            None => Some(answer),
        };
        if let Some(answer) = refused {
            answer.give(Answer::LookedUp(Err(LookupFailure::Unreachable)));
        }
    }
}

async fn ask(client: &Client, allowed: &[String], query: &Query) -> Found {
    let url = Url::parse(&query.url).map_err(|_| LookupFailure::Unreachable)?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || !allowed.iter().any(|beginning| is_below(url.as_str(), beginning)) {
        return Err(LookupFailure::Unreachable);
    }
    let request = match query.method {
        Method::Get => client.get(url),
        Method::Post => {
            let body: serde_json::Map<String, serde_json::Value> =
                query.body.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            client
                .post(url)
                .header("content-type", "application/json")
                .body(serde_json::Value::Object(body).to_string())
        }
    };
    let response = request.header("accept", "application/json").send().await.map_err(|_| LookupFailure::Unreachable)?;
    if !response.status().is_success() {
        return Err(LookupFailure::Refused);
    }
    let bytes = read(response).await?;
    let answer: serde_json::Value = serde_json::from_slice(&bytes).map_err(|_| LookupFailure::Unreadable)?;
    let pick = |(name, pointer): (&String, &String)| Some((name.clone(), text(answer.pointer(pointer)?)?));
    query.values.iter().map(pick).collect::<Option<_>>().ok_or(LookupFailure::Missing)
}

async fn read(mut response: Response) -> Result<Vec<u8>, LookupFailure> {
    let mut bytes = Vec::new();
    // A connection that is cut in the middle leaves no whole answer.
    while let Some(chunk) = response.chunk().await.map_err(|_| LookupFailure::Unreadable)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(LookupFailure::Unreadable);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A text as it is, a number as JSON writes it, true or false; nothing else can be said or compared.
fn text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(flag) => Some(flag.to_string()),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    }
}
