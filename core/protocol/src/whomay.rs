//! Who may do what: one table, tested exhaustively. The gate asks it after the directory and before the pace counters.

use subrosa_model::{Compartment, Role};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Read `identity`.
    ReadIdentity,
    /// Read `admin`.
    ReadAdmin,
    /// Read `record`.
    ReadRecord,
    /// Read `psychotherapy` (only what oneself wrote: it is sealed to its author).
    ReadPsychotherapy,
    /// Read `messages`.
    ReadMessages,
    /// Write `identity`.
    WriteIdentity,
    /// Write `admin`.
    WriteAdmin,
    /// Write `record`.
    WriteRecord,
    /// Write `psychotherapy`.
    WritePsychotherapy,
    /// Write `messages`.
    WriteMessages,
    /// Make a chart.
    MakeChart,
    /// State a care relation of one's own.
    RelateSelf,
    /// State a care relation of somebody else.
    RelateOther,
    /// Confirm a care relation that somebody else stated.
    ConfirmRelation,
    /// Emergency access.
    OnCall,
    /// See who has looked at a chart.
    SeeAccesses,
    /// See the practice's whole ledger.
    SeeLedger,
    /// Invite a member.
    Invite,
    /// Answer a colleague's pace stop.
    ReviewPace,
    /// See backup state.
    SeeBackup,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 20] = [
        Action::ReadIdentity,
        Action::ReadAdmin,
        Action::ReadRecord,
        Action::ReadPsychotherapy,
        Action::ReadMessages,
        Action::WriteIdentity,
        Action::WriteAdmin,
        Action::WriteRecord,
        Action::WritePsychotherapy,
        Action::WriteMessages,
        Action::MakeChart,
        Action::RelateSelf,
        Action::RelateOther,
        Action::ConfirmRelation,
        Action::OnCall,
        Action::SeeAccesses,
        Action::SeeLedger,
        Action::Invite,
        Action::ReviewPace,
        Action::SeeBackup,
    ];

    /// Reading a compartment.
    pub const fn read(compartment: Compartment) -> Self {
        match compartment {
            Compartment::Identity => Action::ReadIdentity,
            Compartment::Admin => Action::ReadAdmin,
            Compartment::Record => Action::ReadRecord,
            Compartment::Psychotherapy => Action::ReadPsychotherapy,
            Compartment::Messages => Action::ReadMessages,
        }
    }

    /// Writing a compartment.
    pub const fn write(compartment: Compartment) -> Self {
        match compartment {
            Compartment::Identity => Action::WriteIdentity,
            Compartment::Admin => Action::WriteAdmin,
            Compartment::Record => Action::WriteRecord,
            Compartment::Psychotherapy => Action::WritePsychotherapy,
            Compartment::Messages => Action::WriteMessages,
        }
    }
}

/// How somebody stands to a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// A care relation stands.
    Related,
    /// None does.
    Foreign,
}

/// What the table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Yes,
    /// Yes, counted against the bound on foreign charts.
    Counted,
    /// No.
    Never,
}

/// May somebody in this role, who stands so to the chart, do this?
///
/// An owner or supervisor is a clinician too: in small practices they treat. A privacy officer reads no compartment but sees every access.
pub const fn may(role: Role, action: Action, standing: Standing) -> Verdict {
    use Action::*;
    use Role::*;
    use Verdict::{Counted, Never, Yes};
    let by_standing = match standing {
        Standing::Related => Yes,
        Standing::Foreign => Counted,
    };
    let only_related = match standing {
        Standing::Related => Yes,
        Standing::Foreign => Never,
    };
    match (role, action) {
        (Clinician | Supervisor | Owner, ReadIdentity | ReadAdmin | ReadRecord | ReadMessages | ReadPsychotherapy) => by_standing,
        (Clinician | Supervisor | Owner, WriteIdentity | WriteAdmin | WriteRecord | WriteMessages | WritePsychotherapy) => by_standing,
        (Clinician | Supervisor | Owner, OnCall) => Counted,
        (FrontDesk, ReadIdentity | ReadAdmin | WriteIdentity | WriteAdmin) => by_standing,
        (Billing, ReadIdentity | ReadAdmin | WriteAdmin) => by_standing,
        (Clinician | Supervisor | Owner | FrontDesk, MakeChart | RelateSelf | RelateOther | ConfirmRelation) => Yes,
        (PrivacyOfficer, ConfirmRelation) => Yes,
        (Clinician | Supervisor | FrontDesk | Billing, SeeAccesses) => only_related,
        (Owner | PrivacyOfficer, SeeAccesses | SeeLedger | ReviewPace | SeeBackup) => Yes,
        (Owner, Invite) => Yes,
        _ => Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole matrix, role by role, as a person can read it: Y yes, C counted, - never; first letter related, second foreign.
    #[test]
    fn the_whole_matrix_is_as_written_here() {
        let letter = |v| match v {
            Verdict::Yes => 'Y',
            Verdict::Counted => 'C',
            Verdict::Never => '-',
        };
        let mut seen = String::new();
        for &role in Role::ALL {
            seen.push_str(role.word());
            for action in Action::ALL {
                let (a, b) = (letter(may(role, action, Standing::Related)), letter(may(role, action, Standing::Foreign)));
                seen.push_str(&format!(" {a}{b}"));
            }
            seen.push('\n');
        }
        // read: id adm rec psy msg | write: id adm rec psy msg | chart relS relO conf oncall | accesses ledger invite review backup
        let expected = "\
clinician YC YC YC YC YC YC YC YC YC YC YY YY YY YY CC Y- -- -- -- --
supervisor YC YC YC YC YC YC YC YC YC YC YY YY YY YY CC Y- -- -- -- --
front-desk YC YC -- -- -- YC YC -- -- -- YY YY YY YY -- Y- -- -- -- --
billing YC YC -- -- -- -- YC -- -- -- -- -- -- -- -- Y- -- -- -- --
privacy-officer -- -- -- -- -- -- -- -- -- -- -- -- -- YY -- YY YY -- YY YY
owner YC YC YC YC YC YC YC YC YC YC YY YY YY YY CC YY YY YY YY YY
";
        assert_eq!(seen, expected);
    }
}
