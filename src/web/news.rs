//! News for open pages: which parts are old, and no text. The page fetches them again, with the same
//! session and the same checks as any page.

use std::convert::Infallible;

use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::Desk;
use super::error::WebError;
use super::session::Visit;
use crate::app::desk::{self, News};
use crate::app::{presence, sign_in};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, MessageId};

/// What a list shows, and what the page of one person shows.
const LISTS: &str = "menu kop-deel lijst-deel concept-deel vandaag-deel kandidaten-deel";
const PERSON: &str = "menu persoon-deel gesprek-deel plan-deel straks-deel schrijf";

/// Who else looks at the draft that is open.
const BESIDE: &str = "kijkers-deel";

#[derive(Debug, Deserialize)]
pub struct About {
    #[serde(default)]
    kandidaat: String,
    /// The draft that is open: its coach is seen there as long as this answer runs.
    #[serde(default)]
    concept: String,
}

/// One page that listens.
struct Listener {
    desk: Desk,
    scope: Scope,
    session: String,
    person: Option<CandidateId>,
    draft: Option<MessageId>,
    /// Who else was at the draft when the page last heard of it; nobody knows before the first look.
    beside: Option<Vec<String>>,
    heard: Receiver<News>,
}

/// Listens until the browser leaves or the session ends.
pub async fn news(
    State(desk): State<Desk>,
    visit: Visit,
    Query(about): Query<About>,
) -> Result<Response, WebError> {
    let listener = Listener {
        scope: visit.scope()?.clone(),
        session: visit.session.clone().ok_or(WebError::SignedOut)?,
        person: about.kandidaat.parse().ok(),
        draft: about.concept.parse().ok(),
        beside: None,
        heard: desk.app.store.bells().listen(),
        desk,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let parts = listener.next().await?;
        let event: Result<Event, Infallible> = Ok(Event::default().event("deel").data(parts));
        Some((event, listener))
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

impl Listener {
    /// The parts that are old now; nothing when there is nobody to tell any more.
    async fn next(&mut self) -> Option<&'static str> {
        loop {
            let heard = match self.draft {
                Some(draft) => {
                    if self.beat(draft).await {
                        return Some(BESIDE);
                    }
                    timeout(presence::BEAT, self.heard.recv()).await
                }
                None => Ok(self.heard.recv().await),
            };
            let limits = self.desk.limits;
            let runs = sign_in::runs(&self.desk.app, limits, &self.session).await;
            if !matches!(runs, Ok(true)) {
                return None;
            }
            let candidate = match heard {
                Err(_) => continue,
                Ok(Ok(news)) => Some(news.candidate),
                Ok(Err(RecvError::Lagged(_))) => None,
                Ok(Err(RecvError::Closed)) => return None,
            };
            if let Some(candidate) = candidate {
                let mine = desk::covers(&self.desk.app, &self.scope, candidate).await;
                if !matches!(mine, Ok(true)) {
                    continue;
                }
            }
            return Some(match self.person {
                Some(person) if candidate.is_none_or(|candidate| candidate == person) => PERSON,
                Some(_) => "menu",
                None => LISTS,
            });
        }
    }

    /// Says that this coach is still there, and looks who else is: did that change? A database that
    /// does not answer leaves it as it is.
    async fn beat(&mut self, draft: MessageId) -> bool {
        let app = &self.desk.app;
        let looked = presence::look(app, &self.scope, draft).await;
        let beside = match looked {
            Ok(()) => presence::beside(app, &self.scope, draft).await,
            Err(error) => Err(error),
        };
        let Ok(beside) = beside else { return false };
        // The page was drawn a moment before the first look: it may have missed somebody.
        let before = self.beside.replace(beside.clone()).unwrap_or_default();
        before != beside
    }
}
