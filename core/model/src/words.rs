use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// One second, in milliseconds.
    pub const SECOND: i64 = 1_000;
    /// One minute, in milliseconds.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// One hour, in milliseconds.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// One day, in milliseconds.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// This time moved by `ms` milliseconds, saturating.
    pub const fn plus(self, ms: i64) -> Self {
        Timestamp(self.0.saturating_add(ms))
    }
    /// Milliseconds from `earlier` to this time (negative when `earlier` is later).
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

macro_rules! word_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $num:literal => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant = $num),+ }
        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The word used on the wire.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
            /// The number used in database columns.
            pub const fn number(self) -> i64 {
                self as i64
            }
            /// From the number of a database column.
            pub const fn from_number(n: i64) -> Option<Self> {
                match n { $($num => Some($name::$variant),)+ _ => None }
            }
        }
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

word_enum! {
    /// A part of a chart with its own key.
    Compartment {
        /// Name, birth date, contact, confidential address.
        Identity = 1 => "identity",
        /// Appointments, session times, codes, insurer, superbill.
        Admin = 2 => "admin",
        /// The clinical record.
        Record = 3 => "record",
        /// 45 CFR 164.501: the author's separate notes on conversation content.
        Psychotherapy = 4 => "psychotherapy",
        /// Messages with the patient.
        Messages = 5 => "messages",
    }
}

word_enum! {
    /// What a member does in the practice.
    Role {
        /// Treats patients.
        Clinician = 1 => "clinician",
        /// Supervises clinicians.
        Supervisor = 2 => "supervisor",
        /// Appointments, identity and admin compartments.
        FrontDesk = 3 => "front-desk",
        /// Admin compartment.
        Billing = 4 => "billing",
        /// Watches over who may see what; reads no record.
        PrivacyOfficer = 5 => "privacy-officer",
        /// Runs the practice.
        Owner = 6 => "owner",
    }
}

word_enum! {
    /// What a team is for; decides which compartments are wrapped to it.
    TeamKind {
        /// A care team: identity, admin, record, messages.
        Care = 1 => "care",
        /// The front desk: identity and admin.
        FrontDesk = 2 => "front-desk",
        /// On call (164.312(a)(2)(ii)): identity and record, opened with a reason.
        OnCall = 3 => "on-call",
    }
}

word_enum! {
    /// Why a member has to do with a chart.
    CareKind {
        /// Treats the patient.
        Treats = 1 => "treats",
        /// Covers for a colleague.
        Covers = 2 => "covers",
        /// Supervises the treatment.
        Supervises = 3 => "supervises",
        /// The patient was referred to the member.
        Referred = 4 => "referred",
        /// There is an appointment.
        Appointment = 5 => "appointment",
    }
}
