use super::parse;
use crate::item::person_key;
use crate::xml::{NodeId, Tree};
use crate::{Address, IdentityCard, Limits, RecordsError};

/// What the head of a C-CDA says. A fragment has no head of its own: then `root` names its outermost element and the rest is what that element says.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// `ClinicalDocument`, or the outermost element of a fragment (`section`, `entry`...).
    pub root: String,
    /// Document id, `root^extension`.
    pub document_id: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Document type code, usually LOINC.
    pub code: Option<String>,
    /// The same in words.
    pub code_name: Option<String>,
    /// When the document was made, ISO 8601.
    pub effective_time: Option<String>,
    /// Who wrote it, or the device or organisation.
    pub author: Option<String>,
    /// The organisation that keeps it.
    pub custodian: Option<String>,
    /// Every patient it is about: key and card.
    pub patients: Vec<(String, IdentityCard)>,
    /// Template ids, `root` or `root:extension`.
    pub templates: Vec<String>,
}

impl core::fmt::Debug for Header {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Header({}, {} patients)", self.root, self.patients.len())
    }
}

impl Header {
    /// A line for display.
    pub fn display_title(&self) -> String {
        let words = self.title.clone().or_else(|| self.code_name.clone());
        crate::fhir::shorten(words.as_deref().unwrap_or("Clinical document"))
    }
}

/// Reads the header of a C-CDA document, or what a fragment says of itself.
///
/// # Errors
/// When it is not XML, declares a document type, or exceeds a bound.
pub fn read_header(bytes: &[u8], limits: &Limits) -> Result<Header, RecordsError> {
    let tree = parse(bytes, limits)?;
    let roots = || {
        tree.children(Tree::TOP)
            .iter()
            .filter_map(|child| match child {
                crate::xml::Child::Element(id) => Some(*id),
                crate::xml::Child::Text(_) => None,
            })
    };
    let document = tree.ids().find(|id| tree.name(*id) == "ClinicalDocument");
    let root = document
        .or_else(|| roots().next())
        .ok_or(RecordsError::Xml { at: 0 })?;
    // A fragment is often wrapped (component, entry): the first element that says something of itself speaks for it.
    let speaker = if document.is_some() {
        root
    } else {
        speaker(&tree, root)
    };
    let code = tree.find(speaker, &["code"]);
    let coded = |name| {
        code.and_then(|id| tree.attribute(id, name))
            .map(str::to_owned)
    };
    Ok(Header {
        root: tree.name(root).to_owned(),
        document_id: tree
            .find(speaker, &["id"])
            .and_then(|id| instance(&tree, id)),
        title: tree
            .find(speaker, &["title"])
            .map(|id| tree.own_text(id))
            .filter(|title| !title.is_empty()),
        code: coded("code"),
        code_name: coded("displayName").or_else(|| {
            code.and_then(|id| tree.find(id, &["translation"]))
                .and_then(|id| tree.attribute(id, "displayName").map(str::to_owned))
        }),
        effective_time: tree
            .find(speaker, &["effectiveTime"])
            .and_then(|id| time(&tree, id)),
        author: tree.all(speaker, "author").find_map(|id| author(&tree, id)),
        custodian: tree
            .find(
                speaker,
                &[
                    "custodian",
                    "assignedCustodian",
                    "representedCustodianOrganization",
                    "name",
                ],
            )
            .map(|id| tree.own_text(id))
            .filter(|name| !name.is_empty()),
        patients: tree
            .all(speaker, "recordTarget")
            .filter_map(|id| patient(&tree, tree.find(id, &["patientRole"])?))
            .collect(),
        templates: tree
            .all(speaker, "templateId")
            .filter_map(|id| {
                let root = tree.attribute(id, "root")?;
                Some(tree.attribute(id, "extension").map_or_else(
                    || root.to_owned(),
                    |extension| format!("{root}:{extension}"),
                ))
            })
            .collect(),
    })
}

fn speaker(tree: &Tree, root: NodeId) -> NodeId {
    let says = |id: NodeId| {
        ["code", "title", "templateId", "id"]
            .iter()
            .any(|name| tree.find(id, &[name]).is_some())
    };
    let mut at = root;
    for _ in 0..4 {
        if says(at) {
            return at;
        }
        let Some(next) = tree.children(at).iter().find_map(|child| match child {
            crate::xml::Child::Element(id) => Some(*id),
            crate::xml::Child::Text(_) => None,
        }) else {
            break;
        };
        at = next;
    }
    root
}

fn patient(tree: &Tree, role: NodeId) -> Option<(String, IdentityCard)> {
    let ids: Vec<String> = tree
        .all(role, "id")
        .filter_map(|id| instance(tree, id))
        .collect();
    let mut card = IdentityCard {
        addresses: tree
            .all(role, "addr")
            .map(|id| address(tree, id))
            .filter(|address| !address.is_empty())
            .collect(),
        mrn: tree
            .all(role, "id")
            .find_map(|id| tree.attribute(id, "extension"))
            .map(str::to_owned),
        ..IdentityCard::default()
    };
    for id in tree.all(role, "telecom") {
        let Some(value) = tree.attribute(id, "value") else {
            continue;
        };
        let (kind, bare) = value.split_once(':').unwrap_or(("tel", value));
        let target = match kind.to_ascii_lowercase().as_str() {
            "mailto" => &mut card.emails,
            "tel" | "sms" => &mut card.phones,
            _ => continue,
        };
        if !bare.is_empty() && !target.iter().any(|known| known == bare) {
            target.push(bare.to_owned());
        }
    }
    if let Some(person) = tree.find(role, &["patient"]) {
        let names: Vec<NodeId> = tree.all(person, "name").collect();
        let legal = names
            .iter()
            .copied()
            .find(|id| {
                tree.attribute(*id, "use")
                    .is_some_and(|u| u.split_whitespace().any(|u| u == "L"))
            })
            .or(names.first().copied());
        if let Some(name) = legal {
            (card.family, card.given) = name_parts(tree, name);
        }
        card.birth_date = tree
            .find(person, &["birthTime"])
            .and_then(|id| tree.attribute(id, "value"))
            .and_then(hl7_time)
            .map(|t| t.get(..10).map_or(t.clone(), str::to_owned));
        card.sex = tree
            .find(person, &["administrativeGenderCode"])
            .and_then(|id| tree.attribute(id, "code"))
            .map(|code| {
                match code {
                    "F" => "female",
                    "M" => "male",
                    "UN" | "O" => "other",
                    _ => "unknown",
                }
                .to_owned()
            });
        card.language = tree
            .find(person, &["languageCommunication", "languageCode"])
            .and_then(|id| tree.attribute(id, "code"))
            .map(str::to_owned);
        card.deceased = tree
            .find(person, &["deceasedTime"])
            .and_then(|id| tree.attribute(id, "value"))
            .and_then(hl7_time)
            .or_else(|| {
                tree.find(person, &["deceasedInd"])
                    .and_then(|id| tree.attribute(id, "value"))
                    .filter(|v| *v == "true")
                    .map(|_| "yes".to_owned())
            });
    }
    if !card.names_someone() {
        return None;
    }
    let key = ids
        .first()
        .map_or_else(|| person_key(&card), |id| format!("ccda:{id}"));
    Some((key, card))
}

fn name_parts(tree: &Tree, name: NodeId) -> (String, String) {
    let join = |part: &str| {
        tree.all(name, part)
            .map(|id| tree.own_text(id))
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let (family, given) = (join("family"), join("given"));
    if family.is_empty() && given.is_empty() {
        (tree.own_text(name), String::new())
    } else {
        (family, given)
    }
}

fn address(tree: &Tree, id: NodeId) -> Address {
    let text = |part: &str| {
        tree.find(id, &[part])
            .map(|id| tree.own_text(id))
            .unwrap_or_default()
    };
    Address {
        street: tree
            .all(id, "streetAddressLine")
            .map(|id| tree.own_text(id))
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
        city: text("city"),
        state: text("state"),
        postcode: text("postalCode"),
        country: text("country"),
    }
}

fn author(tree: &Tree, id: NodeId) -> Option<String> {
    let assigned = tree.find(id, &["assignedAuthor"])?;
    if let Some(name) = tree.find(assigned, &["assignedPerson", "name"]) {
        let (family, given) = name_parts(tree, name);
        let full = format!("{given} {family}").trim().to_owned();
        if !full.is_empty() {
            return Some(full);
        }
    }
    [
        &["assignedAuthoringDevice", "softwareName"][..],
        &["assignedAuthoringDevice", "manufacturerModelName"],
        &["representedOrganization", "name"],
    ]
    .iter()
    .find_map(|path| tree.find(assigned, path))
    .map(|id| tree.own_text(id))
    .filter(|name| !name.is_empty())
}

/// `root^extension`, or the root alone.
fn instance(tree: &Tree, id: NodeId) -> Option<String> {
    let root = tree.attribute(id, "root");
    let extension = tree.attribute(id, "extension");
    let text = match (root, extension) {
        (Some(root), Some(extension)) => format!("{root}^{extension}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => return None,
    };
    (text.len() <= 512).then_some(text)
}

fn time(tree: &Tree, id: NodeId) -> Option<String> {
    let value = tree.attribute(id, "value").or_else(|| {
        ["low", "high", "center"]
            .iter()
            .find_map(|part| tree.attribute(tree.find(id, &[part])?, "value"))
    })?;
    hl7_time(value)
}

/// `20050329171504-0500` to `2005-03-29T17:15:04-05:00`; less precise times give less.
pub(crate) fn hl7_time(value: &str) -> Option<String> {
    let value = value.trim();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let part = |from: usize, to: usize| value.get(from..to).filter(|_| digits >= to);
    let mut out = part(0, 4)?.to_owned();
    let ranges = [
        (4, 6, '-'),
        (6, 8, '-'),
        (8, 10, 'T'),
        (10, 12, ':'),
        (12, 14, ':'),
    ];
    for (from, to, before) in ranges {
        // A month of 30 is a slip of the source; what stands before it still holds.
        let fits = |piece: &&str| match from {
            4 => (1..=12).contains(&piece.parse().unwrap_or(0)),
            6 => (1..=31).contains(&piece.parse().unwrap_or(0)),
            _ => true,
        };
        let Some(piece) = part(from, to).filter(fits) else {
            // An hour alone is no ISO time.
            if before == ':' && from == 10 {
                out.push_str(":00");
            }
            break;
        };
        out.push(before);
        out.push_str(piece);
    }
    if out.contains('T') {
        let zone = value
            .get(digits..)
            .and_then(|rest| rest.find(['+', '-']).and_then(|at| rest.get(at..)));
        if let Some(zone) =
            zone.filter(|z| z.len() == 5 && z.bytes().skip(1).all(|b| b.is_ascii_digit()))
        {
            out.push_str(zone.get(..3).unwrap_or_default());
            out.push(':');
            out.push_str(zone.get(3..).unwrap_or_default());
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_the_precision_they_have() {
        assert_eq!(
            hl7_time("20050329171504-0500").as_deref(),
            Some("2005-03-29T17:15:04-05:00")
        );
        assert_eq!(hl7_time("19541125").as_deref(), Some("1954-11-25"));
        assert_eq!(hl7_time("1954").as_deref(), Some("1954"));
        assert_eq!(hl7_time("2005032917").as_deref(), Some("2005-03-29T17:00"));
        assert_eq!(
            hl7_time("200503291715.123+0100").as_deref(),
            Some("2005-03-29T17:15+01:00")
        );
        assert_eq!(hl7_time("20903003"), Some("2090".to_owned()));
        assert_eq!(hl7_time("x"), None);
    }
}
