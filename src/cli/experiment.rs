//! `experiment`: what came of two wordings of one text. It reads and changes nothing.

use anyhow::bail;

use super::{opened, say};
use crate::app::experiments::{self, Came, Told};
use crate::settings::Settings;
use crate::texts::experiments::SetUp;

/// Tells about the experiment of this name, or about all.
pub async fn run(name: Option<&str>) -> anyhow::Result<()> {
    let settings = Settings::from_process()?;
    let (app, _) = opened(&settings).await?;
    let wanted: Vec<&SetUp> = app
        .experiments
        .all()
        .iter()
        .filter(|it| name.is_none_or(|name| name == it.experiment.name))
        .collect();
    match (name, wanted.is_empty()) {
        (Some(name), true) => bail!("config/experiments.toml has no experiment {name}"),
        (None, true) => say("no experiment is set up: config/experiments.toml")?,
        _ => {}
    }
    for set_up in wanted {
        let told = experiments::report(&app, set_up).await?;
        for line in lines(set_up, &told) {
            say(&line)?;
        }
    }
    app.store.close().await;
    Ok(())
}

fn lines(set_up: &SetUp, told: &Told) -> Vec<String> {
    let it = &set_up.experiment;
    let mut lines = vec![format!(
        "{}: {}/{}, {} within {} days, until {}",
        it.name,
        it.flow,
        it.node,
        it.outcome.as_str(),
        it.within_days,
        it.until
    )];
    let Told::Result {
        first,
        other,
        difference,
        runs,
    } = told
    else {
        lines.push(format!(
            "  nothing to tell yet: each wording needs {} people whose {} days are over",
            it.least, it.within_days
        ));
        return lines;
    };
    lines.push(format!("  first wording: {}", came(first)));
    lines.push(format!("  other wording: {}", came(other)));
    lines.push(format!(
        "  the other wording does {:+.0} points; 95 times in 100 the truth lies between {:+.0} and {:+.0}",
        100.0 * difference.by,
        100.0 * difference.from,
        100.0 * difference.to
    ));
    lines.push(match difference.may_be_chance() {
        true => "  chance alone can make this difference".to_owned(),
        false => "  chance alone hardly makes this difference".to_owned(),
    });
    if *runs {
        let wait = "  it still runs: who stops at the first nice number finds what is not there";
        lines.push(wait.to_owned());
    }
    lines
}

fn came(came: &Came) -> String {
    format!(
        "{} of {} people ({:.0} %), {} stopped, {} changed by a coach",
        came.share.hits,
        came.share.people,
        100.0 * came.share.rate(),
        came.stopped,
        came.edited
    )
}
