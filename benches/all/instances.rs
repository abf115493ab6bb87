//! Two of the program on one PostgreSQL against one, with a provider that takes a tenth of a second for
//! each answer: what waits for the provider must not wait for its twin.

use std::time::Duration;

use serde_json::json;

use crate::support::child::Role;
use crate::support::database::{Database, Kind, kinds};
use crate::support::house;
use crate::support::serve::Serving;
use crate::support::standin::StandIn;
use crate::support::table::{self, median};

const ANSWER: Duration = Duration::from_millis(100);
const MESSAGES: usize = 4000;
const RUNS: usize = 3;

pub async fn measure() -> anyhow::Result<()> {
    if !kinds().contains(&Kind::Postgres) {
        println!("several instances need PostgreSQL");
        return Ok(());
    }
    let (mut rows, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (one, cost_one) = together(1).await?;
        let (two, cost_two) = together(2).await?;
        ratios.push(two / one);
        rows.push(table::meanwhile(vec![
            format!("{one:.0}"),
            format!("{two:.0}"),
            format!("{:.2}", two / one),
            format!("{cost_one:.0}"),
            format!("{cost_two:.0}"),
        ]));
    }
    table::print(
        &format!(
            "instances on PostgreSQL, median {:.2} (aim: 1.8)",
            median(ratios)
        ),
        &[
            "one/s",
            "two/s",
            "ratio",
            "µs a send, one",
            "µs a send, two",
        ],
        &rows,
    );
    Ok(())
}

/// The rate of so many instances, and what a send costs them.
async fn together(count: usize) -> anyhow::Result<(f64, f64)> {
    let database = Database::new(Kind::Postgres).await?;
    let standin = StandIn::start(ANSWER)?;
    let mut order = house::order(&database, &standin.base_url);
    order["per_second"] = json!(1000);
    order["clock"] = json!("now");
    let mut seeder = Role::start("sender", &order, &[])?;
    let mut environment = house::environment(&order)?;
    environment.insert("TUSSENDOOR_SEND__PER_SECOND".into(), "1000".into());
    environment.insert("TUSSENDOOR_SEND__PAIR_SECONDS".into(), "0".into());
    let serving: Vec<Serving> = (0..count)
        .map(|_| Serving::start(&environment))
        .collect::<anyhow::Result<_>>()?;
    // All are held until everybody is written, and then fall due at one moment.
    seeder.ask(&format!("seed later 0 {MESSAGES}"))?;
    database.settle().await?;
    let before: f64 = serving.iter().map(Serving::cpu).sum();
    database
        .execute(
            "UPDATE outgoing SET not_before_at = not_before_at - 3600000000, version = version + 1",
        )
        .await?;
    let seconds = standin.until(MESSAGES as u64).await?;
    let (taken, doubled) = standin.count();
    anyhow::ensure!(
        taken == MESSAGES as u64 && doubled == 0,
        "{doubled} doubled"
    );
    let cost = serving.iter().map(Serving::cpu).sum::<f64>() - before;
    drop((serving, seeder));
    database.drop().await?;
    Ok((MESSAGES as f64 / seconds, cost / MESSAGES as f64))
}
