//! Who may see and do what. A `Scope` comes from a session and from nowhere else; every read for a
//! coach's page takes it first, so that another organisation's or team's rows cannot be named.

use std::collections::BTreeSet;

use super::ids::{CoachId, OrganisationId, TeamId};

/// What a coach is in the organisation. The order is the order of what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Has candidates and decides on drafts.
    Coach,
    /// Leads a team: also sees what is stuck.
    Lead,
    /// Keeps the service running for the organisation.
    Admin,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Coach, Role::Lead, Role::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Coach => "coach",
            Role::Lead => "lead",
            Role::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// Whose eyes look: one coach, inside one organisation, over the candidates of these teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub organisation: OrganisationId,
    pub coach: CoachId,
    pub teams: BTreeSet<TeamId>,
    pub role: Role,
}

/// What a page or an action asks for. Which candidates it reaches is the scope's teams; this says
/// whether the role may do it at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// Read and act on candidates of the own teams.
    Coach,
    /// See what is stuck: kept webhooks, quarantined items, paused lines.
    Operate,
}

impl Deed {
    pub const ALL: [Deed; 2] = [Deed::Coach, Deed::Operate];

    /// The least role that may do it.
    pub const fn least(self) -> Role {
        match self {
            Deed::Coach => Role::Coach,
            Deed::Operate => Role::Lead,
        }
    }
}

impl Scope {
    pub fn may(&self, deed: Deed) -> bool {
        self.role >= deed.least()
    }

    /// Does a candidate of this organisation and team fall under these eyes?
    pub fn covers(&self, organisation: OrganisationId, team: TeamId) -> bool {
        self.organisation == organisation && self.teams.contains(&team)
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    fn scope(role: Role) -> Scope {
        Scope {
            organisation: OrganisationId(Ulid::from_parts(1, 1)),
            coach: CoachId(Ulid::from_parts(1, 2)),
            teams: BTreeSet::from([TeamId(Ulid::from_parts(1, 3))]),
            role,
        }
    }

    #[test]
    fn a_coach_operates_nothing_and_a_lead_does() {
        assert!(!scope(Role::Coach).may(Deed::Operate));
        assert!(scope(Role::Lead).may(Deed::Operate));
        assert!(
            Role::ALL
                .into_iter()
                .all(|role| scope(role).may(Deed::Coach))
        );
    }

    #[test]
    fn the_same_team_number_in_another_organisation_is_not_covered() {
        let scope = scope(Role::Admin);
        let team = TeamId(Ulid::from_parts(1, 3));
        assert!(scope.covers(scope.organisation, team));
        assert!(!scope.covers(OrganisationId(Ulid::from_parts(9, 1)), team));
        assert!(!scope.covers(scope.organisation, TeamId(Ulid::from_parts(1, 4))));
    }
}
