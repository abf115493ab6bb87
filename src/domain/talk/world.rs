//! The snapshot of the world that a step may look at. It holds no text and no name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::contact::{DigitalSkill, Purpose};
use crate::domain::flow::definition::Flow;
use crate::domain::ids::{FlowHash, SlotId, VacancyId};
use crate::domain::plan::Plan;
use crate::domain::time::{Holidays, Tz};

#[derive(Debug, Clone)]
pub struct World {
    pub plan: Plan,
    /// The moments that are offered, best first; no two at one time.
    pub free_slots: Vec<SlotId>,
    /// Moments of older questions that can still be taken, though they would not be offered any more.
    pub older_slots: Vec<SlotId>,
    /// Every flow that this talk's runs name, and the newest of each name.
    pub flows: BTreeMap<FlowHash, Arc<Flow>>,
    /// Which version of each name a new run plays.
    pub newest: BTreeMap<String, FlowHash>,
    pub consent: BTreeSet<Purpose>,
    /// The newest message that left the house (accepted, or perhaps accepted), looking no further
    /// than the open question: an answer that overtakes the word "accepted" counts, one to a
    /// question that nobody saw does not.
    pub left_up_to: u32,
    pub digital_skill: DigitalSkill,
    /// Exercises of `digital_comfort` that are done.
    pub exercised: BTreeSet<String>,
    /// Vacancies that are still open, of those the runs are about.
    pub open_vacancies: BTreeSet<VacancyId>,
    /// This event follows from what the person just wrote: what it makes us say is a direct answer.
    pub answering: bool,
    pub zone: Tz,
    pub holidays: Holidays,
}

impl World {
    /// Can this moment be taken, whether it would be offered now or stands in an older question?
    pub fn can_take(&self, slot: SlotId) -> bool {
        self.free_slots.contains(&slot) || self.older_slots.contains(&slot)
    }
}
